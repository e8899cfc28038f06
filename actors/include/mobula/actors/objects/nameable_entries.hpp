#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mobula/actors/objects/object_entry.hpp"

namespace mobula {

/// The own entries of a node that others may name, by number: while the tables keep a handle on
/// one, or while others see what contains it. Nodes have no other index of their entries, and
/// objects that never leave pay for none.
///
/// | field         | raised by                       | lowered by                    |
/// |---------------|---------------------------------|-------------------------------|
/// | record::kept  | `keep`, with a handle each      | `let_go`                      |
/// | record::shown | `show`, for each that shows it  | `hide`                        |
/// | record::shows | `set_contents`, each shown once | the record's end              |
/// | records_      | the first of `keep` and `show`  | `let_go` or `hide`, once both |
/// |               |                                 | counts are zero               |
///
/// What an ended record showed is handed back to the caller, who has it hidden: it may be on other
/// nodes of the process, whose mutex is not this one's.
///
/// A part of the gateway of references, under its mutex. *Bounds*: by the handles of the tables and
/// what the values of such objects contain.
class nameable_entries {
public:
  /// Returns null if others may not name it. Somebody holds what is returned.
  [[nodiscard]] object_entry* find(std::uint64_t sequence) const {
    auto known = records_.find(sequence);
    return known == records_.end() ? nullptr : known->second.entry;
  }

  [[nodiscard]] std::uint32_t kept_handles(std::uint64_t sequence) const {
    auto known = records_.find(sequence);
    return known == records_.end() ? 0 : known->second.kept;
  }

  /// The tables keep one more handle, which the caller adds once this has not thrown.
  void keep(object_entry& entry) {
    ++record_of(entry).kept;
  }

  /// The same by number. Returns null if others may not name it.
  [[nodiscard]] object_entry* keep(std::uint64_t sequence);

  /// The tables let one handle go. Adds to `hidden` what is not shown by the entry any more.
  /// REQUIRES: it was kept.
  void let_go(const object_entry& entry, std::vector<object_entry*>& hidden);

  /// One more of those that others see shows the entry.
  void show(object_entry& entry) {
    ++record_of(entry).shown;
  }

  /// The reverse. Adds to `hidden` what is not shown by the entry any more. REQUIRES: it was shown.
  void hide(const object_entry& entry, std::vector<object_entry*>& hidden);

  /// Returns whether others may name the entry, and it has not been said what it contains.
  [[nodiscard]] bool lacks_contents(std::uint64_t sequence) const;

  /// The entry shows these as long as others may name it. REQUIRES: they may.
  void set_contents(std::uint64_t sequence, std::vector<object_entry*> shown);

  /// Asserts what must hold at any moment. O(n).
  void check_invariants() const;

private:
  struct record {
    object_entry* entry = nullptr;
    std::uint32_t kept = 0;
    std::uint32_t shown = 0;
    std::vector<object_entry*> shows; ///< own entries of their nodes that the value contains
  };

  using index = std::unordered_map<std::uint64_t, record>;

  record& record_of(object_entry& entry);
  void erase_unless_nameable(index::iterator known, std::vector<object_entry*>& hidden);

  index records_;
};

} // namespace mobula
