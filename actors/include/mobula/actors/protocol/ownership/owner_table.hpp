#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "mobula/actors/protocol/ownership/object_count.hpp"
#include "mobula/actors/protocol/ownership/object_record.hpp"
#include "mobula/actors/protocol/ownership/sequence_index.hpp"

namespace mobula {

/// What an owner counts, each as the field of `node_stats` that has its name.
struct owner_figures {
  object_count owned;
  std::uint64_t pending_objects = 0;
  object_count inline_values;
  std::uint64_t failed_objects = 0;
  object_count stored;
  std::uint64_t references = 0;
  std::uint64_t references_added = 0;   ///< since the start
  std::uint64_t references_removed = 0; ///< likewise
};

/// State machine of the owner: which objects this node created, where their values are, and who
/// refers to them. No CAF, no clock, no I/O.
///
/// | field           | raised by                        | lowered by                          |
/// |-----------------|----------------------------------|-------------------------------------|
/// | local_reference | `add_reference` of this node     | `remove_reference` of this node     |
/// | place           | `add_reference`, `object_sealed` | never; the record goes out of scope |
/// | content         | the same                         | the same                            |
/// | entry           | `add_reference`                  | the same                            |
/// | reported_at_s   | `add_reference`                  | the same                            |
///
/// An object is *out of scope* when no reference is left; its record then goes at once and the
/// caller releases the value. References nested in other objects' values are handles like any
/// other, so they need no field of their own; `content`, `entry` and `reported_at_s` are for
/// reports.
class owner_table {
public:
  /// What the caller has to do after an event.
  enum class effect : std::uint8_t {
    nothing,
    /// The object is out of scope: free its value.
    release_value,
    /// The object is out of scope: have its shard free its copy.
    release_copy,
  };

  owner_table() = default;
  owner_table(const owner_table&) = delete;
  owner_table& operator=(const owner_table&) = delete;

  /// A node's first reference to an object. REQUIRES: the object is not known yet.
  effect add_reference(const object_record& reference);

  /// An object got its value or its error, or its value left the process heap. An object that is
  /// not known any more is none to tell of.
  effect object_sealed(const object_record& object);

  /// A node's last reference to an object is gone. Unknown objects have nothing to release.
  effect remove_reference(std::uint64_t sequence);

  /// Adds this table's figures.
  void add_figures(owner_figures& figures) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept {
    return objects_.size();
  }

  [[nodiscard]] bool contains(std::uint64_t sequence) const noexcept {
    return objects_.find(sequence) != nullptr;
  }

  /// Returns what is known of an object. For inspection.
  [[nodiscard]] std::optional<object_record> find(std::uint64_t sequence) const {
    const auto* object = objects_.find(sequence);
    return object != nullptr ? std::optional{describe(*object)} : std::nullopt;
  }

  /// Calls `f` with each object. For inspection: O(n).
  template <class F>
  void for_each(F&& f) const {
    objects_.for_each([&](const owned_object& object) { f(describe(object)); });
  }

  /// Recomputes all sums from the records and asserts that they agree. O(n).
  void check_invariants() const;

private:
  struct owned_object {
    std::uint64_t sequence = 0;
    std::uint64_t size_bytes = 0;
    const object_entry* entry = nullptr;
    std::uint32_t next = 0;
    std::uint32_t reported_at_s = 0;
    object_place place = object_place::pending;
    object_content content = object_content::plain;
    bool local_reference = false;
  };

  static object_record describe(const owned_object& object) noexcept {
    return {.sequence = object.sequence,
            .size_bytes = object.size_bytes,
            .place = object.place,
            .content = object.content,
            .reported_at_s = object.reported_at_s,
            .entry = object.entry};
  }

  void count(const owned_object& object) noexcept;
  void discount(const owned_object& object) noexcept;

  [[nodiscard]] object_count& tally(object_place place) noexcept {
    return tallies_[static_cast<std::size_t>(place)];
  }

  sequence_index<owned_object> objects_;
  std::array<object_count, 4> tallies_{};
  std::uint64_t references_ = 0;
  std::uint64_t references_added_ = 0;
  std::uint64_t references_removed_ = 0;
};

} // namespace mobula
