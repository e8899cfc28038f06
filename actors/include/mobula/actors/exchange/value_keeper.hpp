#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "mobula/actors/objects/entry_watch.hpp"

namespace mobula {

/// What an owner is told of the values that it asked to keep.
struct keep_answer {
  std::vector<std::uint64_t> kept;
  std::vector<std::uint64_t> lost;
};

/// A borrower's side of a node's leaving: keeps the values of borrowed objects for as long as there
/// are references here, so that they can be read when their owner is gone.
///
/// It does what any reader does: waits until the value is there, and holds a view. A small value is
/// here for good then; what was pulled stays in this node's arena, and is not evicted; what is read
/// in place stays where it is, in memory of the owner's that this process has mapped.
///
/// | field     | raised by                       | lowered by                               |
/// |-----------|---------------------------------|------------------------------------------|
/// | watches_  | `keep`, of what is not there    | `ready`                                  |
/// | kept_     | `keep`, `ready`                 | `forget`                                 |
/// | answers_  | `keep`, `ready`                 | `take_answers`                           |
///
/// *Bounds*: by the borrowed entries.
class value_keeper {
public:
  explicit value_keeper(node_core& core);

  value_keeper(const value_keeper&) = delete;
  value_keeper& operator=(const value_keeper&) = delete;

  ~value_keeper();

  /// Each of these of the owner's objects is answered for once, at once or later. One that is not
  /// referred to here counts as kept.
  void keep(const incarnation_id& owner, std::span<const std::uint64_t> sequences);

  void ready(const object_id& object);

  /// The entry has no references any more, or its value is not wanted.
  void forget(const object_entry& entry);

  /// Nothing is kept any more, and nobody waits for an answer.
  void stop();

  /// Returns whether the entry's value stays although its owner goes.
  [[nodiscard]] bool keeps(const object_entry& entry) const {
    return kept_.contains({entry.id(), &entry});
  }

  /// Returns what is to be told to owners.
  [[nodiscard]] std::map<incarnation_id, keep_answer> take_answers() {
    return std::exchange(answers_, {});
  }

private:
  void keep_one(const object_id& object);
  void settle(object_entry& entry, pinned_value pin);

  node_core& core_;
  std::map<object_id, entry_watch> watches_;
  /// Ordered by objects, so that a simulation ends their pins in the same order each time.
  std::map<std::pair<object_id, const object_entry*>, pinned_value> kept_;
  std::map<incarnation_id, keep_answer> answers_;
};

} // namespace mobula
