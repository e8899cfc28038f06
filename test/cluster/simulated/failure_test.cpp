// Nodes that die or leave, and connections that are lost.

#include "post.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/scoped_execution_unit.hpp>

#include <mobula/actors/launch/launch_node.hpp>
#include <mobula/actors/membership/membership.hpp>
#include <mobula/actors/wire/cluster_messages.hpp>

using namespace mobula;
using namespace std::literals;

namespace {

/// The time after which a lost node's holds are gone.
void let_grace_pass(testing::simulation& sim) {
  sim.run();
  sim.advance(sim.default_options().grace_period);
  sim.run();
}

/// Reads one object at the moment at which another one fails.
class late_reader : public wait_group {
public:
  explicit late_reader(object_entry& to_read) : to_read_(to_read) {
    // nop
  }

private:
  void fire() override {
    to_read_.core().gateway().request(to_read_, pull_priority::get);
  }

  object_entry& to_read_;
};

} // namespace

TEST_CASE_FIXTURE(three_nodes, "references fail when their owner crashes") {
  send_away(home.put("a text"));
  sim.crash(home);
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::owner_died);
}

TEST_CASE_FIXTURE(three_nodes, "a reader that waits is told that the owner crashed") {
  auto open = std::make_unique<promise<std::string>>(home.make_promise<std::string>());
  send_away(open->ref());
  auto failure = error_type::worker_died;
  auto reader = sim.system().spawn([&, ref = at_away.letters.at(0)](caf::event_based_actor* self) {
    get(self, ref).then([](const view<std::string>&) {},
                        [&](caf::error& error) { failure = to_error_info(error).type; });
  });
  sim.run();
  open.reset();
  sim.crash(home);
  sim.run();
  CHECK(failure == error_type::owner_died);
}

TEST_CASE_FIXTURE(three_nodes, "a value that was read stays readable when its owner crashes") {
  send_away(home.put("a text"));
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
  sim.crash(home);
  sim.run();
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "references fail when their owner leaves") {
  send_away(home.put("a text"));
  sim.remove_node(home);
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::owner_died);
}

TEST_CASE_FIXTURE(three_nodes, "references fail when a service of their owner dies") {
  auto open = home.make_promise<std::string>();
  send_away(open.ref());
  caf::anon_send_exit(home.core().owner(), caf::exit_reason::kill);
  sim.run();
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::owner_died);
  sim.remove_node(home);
}

TEST_CASE_FIXTURE(three_nodes, "who reads while references fail leaves nothing behind") {
  send(home, away, at_away, letter{{home.put("a text"), home.put("a text")}});
  sim.run();
  // They fail in the order of their objects.
  auto first = at_away.letters.at(0);
  auto second = at_away.letters.at(1);
  wait_handle<late_reader> reader{new late_reader(second.entry())};
  object_entry* entries[] = {&first.entry()};
  reader->arm(entries, 1, wait_goal::ready);
  sim.remove_node(home);
  CHECK(error_behind(away, second) == error_type::owner_died);
  sim.run();
  CHECK(away.stats().peer_waits == 0);
}

TEST_CASE_FIXTURE(three_nodes, "what a crashed borrower held is released after the grace period") {
  send_away(home.put("a text"));
  sim.crash(away);
  sim.run();
  CHECK(home.stats().owned.objects == 1);
  let_grace_pass(sim);
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a reference reaches its receiver though the one between crashes") {
  send_away(home.put("a text"));
  send(away, third, at_third, letter{{at_away.letters.at(0)}});
  at_away.clear();
  while (at_third.letters.empty())
    REQUIRE(sim.run_one());
  sim.crash(away);
  let_grace_pass(sim);
  CHECK(third.get(at_third.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "a cut is mutual: references fail, and their objects are released") {
  send_away(home.put("a text"));
  sim.cut(home, away);
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::owner_died);
  let_grace_pass(sim);
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "messages over a cut connection are lost, their references kept") {
  auto ref = home.put("a text");
  sim.cut(home, away);
  send_away(ref);
  CHECK(at_away.letters.empty());
  CHECK(ref.handle()->handles() == 1);
}

TEST_CASE_FIXTURE(three_nodes, "requests over a cut connection are answered with an error") {
  sim.cut(home, away);
  auto failed = false;
  auto asker = sim.system().spawn(
    [&, target = sim.remote(home, away, at_away.owner)](caf::event_based_actor* self) {
      self->request(target, caf::infinite, 1).then([](int) {}, [&](caf::error&) { failed = true; });
    });
  asker = nullptr;
  sim.run();
  CHECK(failed);
}

TEST_CASE_FIXTURE(three_nodes, "a healed connection carries references again") {
  auto ref = home.put("a text");
  send_away(ref);
  sim.cut(home, away);
  sim.run();
  sim.heal(home, away);
  send_away(ref);
  REQUIRE(at_away.letters.size() == 2);
  CHECK(error_behind(away, at_away.letters[0]) == error_type::owner_died);
  CHECK(away.get(at_away.letters[1]).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes,
                  "what is lost on the way is released once lease and grace are over") {
  send(home, away, at_away, letter{{home.put("a text")}});
  sim.crash(away);
  sim.run();
  CHECK(home.stats().owned.objects == 1);
  sim.advance(home.options().transit_lease);
  let_grace_pass(sim);
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "an owner that cannot be reached is dead to the receiver") {
  send_away(home.put("a text"));
  sim.cut(home, third);
  sim.run();
  send(away, third, at_third, letter{{at_away.letters.at(0)}});
  sim.run();
  CHECK(error_behind(third, at_third.letters.at(0)) == error_type::owner_died);
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "a borrowed reference may outlive its node") {
  send_away(home.put("a text"));
  auto kept = at_away.letters.at(0);
  at_away.clear();
  sim.remove_node(away);
  CHECK(!kept.ready());
  kept = {};
  let_grace_pass(sim);
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE("a node in no cluster says so when a reference is to leave it") {
  testing::simulation sim{1, post_settings()};
  auto ref = sim.add_node().put("a text");
  caf::scoped_execution_unit context{&sim.system()};
  std::vector<char> buffer;
  caf::binary_serializer sink{&context, buffer};
  letter sent{{ref}};
  auto error = to_error_info(sink(sent));
  CHECK(error.type == error_type::reference_not_portable);
  CHECK(error.message.find("cluster") != std::string::npos);
}

TEST_CASE_FIXTURE(three_nodes, "references sent after shutdown do not leave") {
  auto ref = home.put("a text");
  home.shutdown();
  caf::scoped_execution_unit context{&sim.system()};
  std::vector<char> buffer;
  caf::binary_serializer sink{&context, buffer};
  letter sent{{ref}};
  CHECK(to_error_info(sink(sent)).type == error_type::shutting_down);
}

// -- owners that nobody knows -------------------------------------------------------------------

TEST_CASE("a search that begins when the last one is given up has its time once") {
  testing::simulation sim;
  auto& node = sim.add_node();
  launch_cluster(node.core());
  begin_membership begin;
  begin.self.incarnation = node.incarnation();
  begin.self.control = {{"127.0.0.1", 1}};
  begin.config.speaks = dialect_of(node.options().cluster);
  caf::anon_send(node.core().cluster(), std::move(begin));
  auto arrive_from = [&](std::uint64_t number) {
    incarnation_id owner{.high = number, .low = number};
    return node.core().gateway().import_reference(
      {.object = {.owner = owner, .sequence = 1},
       .type = &descriptor_of<std::string, codec_id::raw>(),
       .sender = owner,
       .transit = transit_number{1}});
  };
  auto first = arrive_from(1);
  sim.run();
  auto timers = node.stats().timers;
  sim.advance(1s);
  sim.run();
  sim.advance(1s);
  // In time for the turn in which the first is given up.
  auto second = arrive_from(2);
  sim.run();
  CHECK(first->has_failed());
  CHECK_FALSE(second->has_failed());
  // One round, and the grace period of what was given up.
  CHECK(node.stats().timers == timers + 1);
}
