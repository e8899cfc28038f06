// Hazards that DESIGN.md names, one schedule each. Messages arrive at once unless the case holds
// them back; times of detection, leases and grace periods pass only as far as a case lets them.

#include <doctest/doctest.h>

#include "simulated_cluster.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr place owner = 0;
constexpr place sender = 1;
constexpr place receiver_node = 2;

/// Three nodes that know each other.
class known_cluster : public simulated_cluster {
public:
  explicit known_cluster(failures expect = failures::expected)
    : simulated_cluster({.nodes = 3, .expect = expect}) {
    connect_all();
    settle();
  }

  /// Makes an object that only `where` holds.
  object_id object_held_by(place where) {
    auto object = node(owner).create({});
    if (where == owner)
      return object;
    send(owner, where, {object});
    settle();
    node(owner).drop(object);
    settle();
    return object;
  }

  /// Sends an object away and forgets it.
  void give_away(place from, place to, const object_id& object, receiver who = receiver::there) {
    send(from, to, {object}, who);
    node(from).drop(object);
  }

  void run_out() {
    while (step()) {
    }
  }
};

} // namespace

TEST_CASE("a message whose receiver is gone leaks nothing") {
  known_cluster cluster;
  auto object = cluster.object_held_by(owner);
  cluster.give_away(owner, receiver_node, object, receiver::gone);
  cluster.settle();
  CHECK(cluster.exists(object));
  cluster.run_out();
  CHECK_FALSE(cluster.exists(object));
  cluster.finish();
}

TEST_CASE("a message that fails to be serialized leaks nothing") {
  known_cluster cluster;
  auto object = cluster.object_held_by(owner);
  auto& node = cluster.node(owner);
  node.cancel(node.serialize({object, object}));
  node.drop(object);
  cluster.settle();
  CHECK_FALSE(cluster.exists(object));
  cluster.finish();
}

TEST_CASE("a borrower that dies before its receiver was confirmed does not take it down") {
  known_cluster cluster;
  auto object = cluster.object_held_by(sender);
  cluster.give_away(sender, receiver_node, object);
  cluster.settle_until([&] { return cluster.node(receiver_node).holds(object) > 0; });
  cluster.crash(sender);
  cluster.run_out();
  CHECK(cluster.exists(object));
  CHECK_FALSE(cluster.node(receiver_node).has_failed(object));
  cluster.finish();
}

TEST_CASE("a reference that is sent on before it is confirmed survives its middleman") {
  known_cluster cluster;
  auto object = cluster.object_held_by(owner);
  cluster.give_away(owner, sender, object);
  cluster.settle_until([&] { return cluster.node(sender).holds(object) > 0; });
  cluster.give_away(sender, receiver_node, object);
  cluster.settle_until([&] { return cluster.node(receiver_node).holds(object) > 0; });
  cluster.crash(sender);
  cluster.run_out();
  CHECK(cluster.exists(object));
  cluster.finish();
}

TEST_CASE("a dead borrower's references are released") {
  known_cluster cluster;
  auto object = cluster.object_held_by(receiver_node);
  cluster.crash(receiver_node);
  cluster.settle();
  CHECK(cluster.exists(object));
  cluster.run_out();
  CHECK_FALSE(cluster.exists(object));
  cluster.finish();
}

TEST_CASE("references fail when their owner dies") {
  known_cluster cluster;
  auto object = cluster.object_held_by(receiver_node);
  cluster.crash(owner);
  cluster.settle();
  CHECK(cluster.node(receiver_node).has_failed(object));
  cluster.finish();
}

TEST_CASE("a reference that arrives after its owner's death fails") {
  known_cluster cluster;
  auto object = cluster.object_held_by(sender);
  cluster.crash(owner);
  cluster.settle();
  cluster.send(sender, receiver_node, {object});
  cluster.settle();
  CHECK(cluster.node(receiver_node).has_failed(object));
  cluster.finish();
}

TEST_CASE("two live nodes that lose their connection each treat the other as dead") {
  known_cluster cluster;
  auto object = cluster.object_held_by(receiver_node);
  cluster.sever(owner, receiver_node, cut::until_healed);
  cluster.run_out();
  CHECK(cluster.node(receiver_node).has_failed(object));
  CHECK_FALSE(cluster.exists(object));
  cluster.finish();
}

TEST_CASE("what failed with a session stays failed, and what arrives in the next one lives") {
  known_cluster cluster;
  auto object = cluster.object_held_by(owner);
  cluster.send(owner, receiver_node, {object});
  cluster.settle();
  cluster.sever(owner, receiver_node, cut::passing);
  cluster.settle();
  cluster.connect(owner, receiver_node);
  cluster.settle();
  CHECK(cluster.node(receiver_node).has_failed(object));
  cluster.send(owner, receiver_node, {object});
  cluster.settle();
  CHECK(cluster.node(receiver_node).holds(object) == 2);
  CHECK(cluster.node(receiver_node).relies_on(object));
  cluster.finish();
}

TEST_CASE("a restarted node is another one") {
  known_cluster cluster;
  auto object = cluster.object_held_by(receiver_node);
  cluster.crash(owner);
  cluster.restart(owner);
  cluster.connect_all();
  cluster.settle();
  CHECK(cluster.node(receiver_node).has_failed(object));
  CHECK_FALSE(cluster.exists(object));
  cluster.finish();
}

TEST_CASE("a reference may arrive before its receiver knows the owner") {
  simulated_cluster cluster{{.nodes = 3}};
  cluster.connect(owner, sender);
  cluster.connect(sender, receiver_node);
  cluster.settle();
  auto object = cluster.node(owner).create({});
  cluster.send(owner, sender, {object});
  cluster.settle();
  cluster.node(owner).drop(object);
  cluster.send(sender, receiver_node, {object});
  cluster.node(sender).drop(object);
  cluster.settle();
  CHECK(cluster.exists(object));
  CHECK_FALSE(cluster.node(receiver_node).has_failed(object));
  CHECK(cluster.node(owner).tables().exports().borrowers_of(object.sequence).size() == 1);
  cluster.finish();
}
