#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mobula/actors/membership/member_info.hpp"
#include "mobula/node.hpp"
#include "mobula/runtime/endpoint_option.hpp"

namespace mobula {

/// A node's place in a cluster. Leaves it at the end of its scope, or when the node shuts down.
///
/// A node joins one cluster in its life, and through one object of this class: any other that is to
/// listen or join is refused (`invalid_argument`).
///
/// All nodes of a cluster are connected to each other directly, so each of them must listen. The
/// actor system needs CAF's middleman: `mobula::config` loads it when the options `mobula.listen`
/// or `mobula.join` are given, `load<caf::io::middleman>()` in any other case.
///
/// `run_main` makes an object of this class, does what these options say, and hands it to a third
/// parameter of what it runs.
///
/// All members are thread-safe, and block: none is for use by an actor. They throw `object_error`
/// (`invalid_argument`, `node_died`, `shutting_down`) with a text that says what to do, and
/// `invalid_argument` on a thread that actors share.
class cluster {
public:
  /// Does nothing yet. After the end of `owner`, the cluster has no members, and listens and joins
  /// no more.
  explicit cluster(node& owner);

  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  /// Does what `leave` does.
  ~cluster();

  /// Lets nodes join through this one. An empty address stands for loopback, where only this host's
  /// processes can connect, `0.0.0.0` and `::` for all of the host's, port 0 for any that is free.
  /// Returns the port. Others are told all addresses at which they might reach the node, or those
  /// of the option `mobula.advertise`. Throws `invalid_argument` if the port is in use, the address
  /// is not of this host, the node listens already, or others than this host's processes could
  /// connect and `mobula.insecure` is not set: nodes do not authenticate each other.
  std::uint16_t listen(const std::string& address, std::uint16_t port);

  /// Joins the cluster of the node that listens at this address, and so meets all its members.
  /// Listens first, at any port, if the node does not listen yet: at loopback if the address is one
  /// of loopback, and at all of the host's otherwise, as members connect to each other in both
  /// directions; that takes `mobula.insecure`. Tries for some
  /// seconds if nobody answers there. Joining again through a member changes nothing. When this
  /// returns, the two nodes are connected; connections to the others follow.
  ///
  /// Throws `invalid_argument` for a name that does not resolve, this node's own address, one that
  /// this node cannot listen for, another cluster, another version or a duplicate incarnation;
  /// `node_died` if nobody answers.
  void join(const std::string& address, std::uint16_t port);

  /// Does what the options `mobula.listen` and `mobula.join` say. Throws as the above. Where
  /// `run_main` has done so, takes the node's place in the cluster over from its object, which then
  /// neither listens nor has members: so this one leaves at the end of its scope, as anywhere else.
  void follow_options();

  /// Lets the next object that is to follow the options take over from this one. For the runtime's
  /// own use.
  void offer();

  /// Returns the nodes that this one is connected to, without itself.
  [[nodiscard]] std::vector<member_info> members() const;

  /// Calls `watcher` for each member now, and whenever one comes or goes. In an actor: it must not
  /// block. What would have it wait for that actor, as `members`, `join` and `leave` here and
  /// `node::stats`, `drain`, `lookup` and `shutdown`, and `get` and `wait` of what another node has
  /// to be asked for, throws `invalid_argument` in it. What it throws is logged. Throws
  /// `invalid_argument` if the node does not listen.
  void watch(std::function<void(const member_event&)> watcher);

  /// Tells all members, and closes the port. With the option `mobula.drain`, has the others keep
  /// what they refer to before (see `node::drain`); waits for no other answer, and for the node's
  /// own actors only some seconds longer. A node that has left cannot join again. May be called
  /// several times.
  void leave();

  /// Returns the port that the node listens at; 0 if it does not.
  [[nodiscard]] std::uint16_t port() const;

private:
  class place;

  [[nodiscard]] bool take_over();

  std::unique_ptr<place> place_;
};

} // namespace mobula
