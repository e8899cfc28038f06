#pragma once

#include <caf/actor_system.hpp>
#include <caf/intrusive_ptr.hpp>

namespace mobula {

class node_core;

/// Says for which node the calling thread deserializes, while it lives: only a process in which
/// several nodes share an actor system needs to (the simulation). Scopes nest.
class receiving_scope {
public:
  explicit receiving_scope(node_core& core) noexcept;
  ~receiving_scope();

  receiving_scope(const receiving_scope&) = delete;
  receiving_scope& operator=(const receiving_scope&) = delete;

private:
  node_core* outer_;
};

/// The nodes of this process that references can come to, by actor system. A deserializer knows no
/// more than its system; the first node that took part in a cluster there is the one.
///
/// A list under a mutex: it has one element in nearly all programs. Bounded by the nodes.
class receiving_nodes {
public:
  static void enlist(node_core& core);

  /// Does nothing for a node that is not in the list.
  static void delist(node_core& core) noexcept;

  /// Returns the node that receives in this thread, or null.
  [[nodiscard]] static caf::intrusive_ptr<node_core> find(caf::actor_system& system);
};

} // namespace mobula
