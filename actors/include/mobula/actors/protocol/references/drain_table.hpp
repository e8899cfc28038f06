#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "mobula/serialization/ids.hpp"

namespace mobula {

/// What became of the values that other nodes were to keep.
struct drain_result {
  std::uint64_t kept = 0; ///< by the nodes that refer to them; one for each node and object
  std::uint64_t lost = 0; ///< those nodes could not take them, or did not say so in time

  friend bool operator==(const drain_result&, const drain_result&) = default;
};

/// The nodes that a node which is about to leave waits for: each other node is to keep the values
/// of this one's objects that it refers to. A node that gets hold of a value for that may find
/// references to others in it, and be asked to keep these as well.
///
/// | field    | raised by | lowered by                                     |
/// |----------|-----------|------------------------------------------------|
/// | waiting_ | `ask`     | `kept`, `lost`, `let_go`, `node_left`, `stop`  |
/// | asked_   | `ask`     | never                                          |
/// | new_     | `look_at` | `take_new`                                     |
/// | pending_ | `pending` | `take_pending`                                 |
///
/// *Costs* what happens: an object is looked at when a node begins to refer to it, not with each
/// message. One without a value is looked at again only before the drain ends.
///
/// *Bounds*: by what other nodes borrow.
class drain_table {
public:
  enum class asking : std::uint8_t { first_time, again };

  /// Somebody has begun to refer to the object, or its value is there now.
  void look_at(std::uint64_t sequence) {
    new_.push_back(sequence);
  }

  /// Returns the objects to be looked at, each as often as there was a reason.
  [[nodiscard]] std::vector<std::uint64_t> take_new() noexcept {
    return std::exchange(new_, {});
  }

  /// The object was looked at and has no value yet.
  void pending(std::uint64_t sequence) {
    pending_.insert(sequence);
  }

  /// Returns the objects that had no value.
  [[nodiscard]] std::set<std::uint64_t> take_pending() noexcept {
    return std::exchange(pending_, {});
  }

  /// A node is to keep the value of an object, unless it was asked before.
  [[nodiscard]] asking ask(const incarnation_id& node, std::uint64_t sequence) {
    if (!asked_.emplace(node, sequence).second)
      return asking::again;
    waiting_[node].insert(sequence);
    return asking::first_time;
  }

  void kept(const incarnation_id& node, std::span<const std::uint64_t> sequences) {
    for (auto sequence : sequences)
      result_.kept += end(node, sequence);
  }

  void lost(const incarnation_id& node, std::span<const std::uint64_t> sequences) {
    for (auto sequence : sequences)
      result_.lost += end(node, sequence);
  }

  /// The node refers to the object no longer: it need keep nothing.
  void let_go(const incarnation_id& node, std::uint64_t sequence) {
    end(node, sequence);
  }

  /// So does a node that is gone.
  void node_left(const incarnation_id& node) {
    waiting_.erase(node);
  }

  /// Nobody is waited for any more, or asked.
  void stop() {
    stopped_ = true;
    for (const auto& [node, sequences] : waiting_)
      result_.lost += sequences.size();
    waiting_.clear();
  }

  [[nodiscard]] bool done() const noexcept {
    return waiting_.empty();
  }

  [[nodiscard]] bool stopped() const noexcept {
    return stopped_;
  }

  [[nodiscard]] const drain_result& result() const noexcept {
    return result_;
  }

private:
  /// Returns how many were waited for: 1 or 0.
  std::size_t end(const incarnation_id& node, std::uint64_t sequence) {
    auto known = waiting_.find(node);
    if (known == waiting_.end())
      return 0;
    auto ended = known->second.erase(sequence);
    if (known->second.empty())
      waiting_.erase(known);
    return ended;
  }

  std::map<incarnation_id, std::set<std::uint64_t>> waiting_; ///< no set is empty
  std::set<std::pair<incarnation_id, std::uint64_t>> asked_;
  std::vector<std::uint64_t> new_;
  std::set<std::uint64_t> pending_;
  drain_result result_;
  bool stopped_ = false;
};

} // namespace mobula
