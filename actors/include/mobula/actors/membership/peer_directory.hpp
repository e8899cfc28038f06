#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// Handles on other nodes' actors, each with what is known of that node: found by the name that
/// this node has for it, and by the handle from which a message came.
///
/// Handles are told apart by where they are in memory, not by what they compare as: CAF makes a new
/// one for each connection's life, and those of two connections to one actor compare equal.
///
/// `Name` has an order; `Peer` has a member `handle`, which stays as it was added. Belongs to one
/// actor.
template <class Name, class Peer>
class peer_directory {
public:
  /// Returns null if nobody has that name.
  [[nodiscard]] Peer* find(const Name& name) {
    auto known = peers_.find(name);
    return known == peers_.end() ? nullptr : &known->second;
  }

  [[nodiscard]] const Peer* find(const Name& name) const {
    auto known = peers_.find(name);
    return known == peers_.end() ? nullptr : &known->second;
  }

  /// REQUIRES: somebody has that name.
  [[nodiscard]] const Peer& at(const Name& name) const {
    return peers_.at(name);
  }

  [[nodiscard]] bool contains(const Name& name) const {
    return peers_.contains(name);
  }

  /// Returns null if the handle is nobody's. The result lives until that peer is removed.
  [[nodiscard]] const Name* name_of(const caf::actor_control_block* handle) const {
    auto known = names_.find(handle);
    return known == names_.end() ? nullptr : &known->second;
  }

  /// REQUIRES: nobody has that name or that handle.
  Peer& add(const Name& name, Peer peer) {
    names_.insert_or_assign(peer.handle.get(), name);
    return peers_.insert_or_assign(name, std::move(peer)).first->second;
  }

  /// Returns what was known of the peer; nothing if nobody has that name.
  std::optional<Peer> remove(const Name& name) {
    auto removed = peers_.extract(name);
    if (removed.empty())
      return std::nullopt;
    names_.erase(removed.mapped().handle.get());
    return std::move(removed.mapped());
  }

  void clear() noexcept {
    peers_.clear();
    names_.clear();
  }

  [[nodiscard]] bool empty() const noexcept {
    return peers_.empty();
  }

  /// Asserts what must hold at any moment. O(n).
  void check_invariants() const {
    MOBULA_ASSERT(peers_.size() == names_.size());
    for (const auto& [name, peer] : peers_)
      MOBULA_ASSERT(names_.at(peer.handle.get()) == name);
  }

private:
  std::map<Name, Peer> peers_;
  std::unordered_map<const caf::actor_control_block*, Name> names_; ///< the same, reversed
};

} // namespace mobula
