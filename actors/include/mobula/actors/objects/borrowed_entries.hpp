#pragma once

#include <optional>
#include <unordered_map>
#include <utility>

#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/type_descriptor.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

/// The living entries of other nodes' objects, one for each object, and what readers want of them.
///
/// An entry whose last handle goes at the same time as a new reference arrives is replaced here
/// before it has been dropped: it is one that this does not know any more.
///
/// A part of the gateway of references, under its mutex. *Bounds*: by the node's borrowed entries.
class borrowed_entries {
public:
  struct record {
    object_entry* entry = nullptr;
    std::optional<pull_priority> requested; ///< raised by a request, lowered by `reset_request`
  };

  /// Returns a handle on the living entry of the object: a new one if there is none.
  [[nodiscard]] object_handle bind(object_host& host, const object_id& object,
                                   const type_descriptor& type);

  /// Returns a handle on the living entry of the object, or an empty one.
  [[nodiscard]] object_handle find(const object_id& object) const;

  /// Returns the record of the entry, or null if this does not know it any more. Valid until the
  /// next change.
  [[nodiscard]] record* find_record(const object_entry& entry) {
    auto known = records_.find(entry.id());
    return known != records_.end() && known->second.entry == &entry ? &known->second : nullptr;
  }

  [[nodiscard]] bool contains(const object_entry& entry) const {
    auto known = records_.find(entry.id());
    return known != records_.end() && known->second.entry == &entry;
  }

  /// Ignored if the entry was replaced or forgotten before.
  void forget(const object_entry& entry) {
    if (auto known = records_.find(entry.id());
        known != records_.end() && known->second.entry == &entry)
      records_.erase(known);
  }

  /// The priority of the object's pull; that of a reader if nobody is known to wait.
  [[nodiscard]] pull_priority priority_of(const object_id& object) const;

  void reset_request(const object_id& object);

  /// Calls `f` with each entry. O(n).
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [id, known] : records_)
      f(std::as_const(*known.entry));
  }

  /// Asserts what must hold at any moment. O(n).
  void check_invariants() const;

private:
  std::unordered_map<object_id, record> records_;
};

} // namespace mobula
