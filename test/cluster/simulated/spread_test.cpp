// One object wanted by many nodes: they fetch it from each other, as it arrives.

#include "post.hpp"

#include <deque>
#include <functional>

using namespace mobula;
using namespace std::literals;

namespace {

constexpr std::size_t size = 900'000;

/// A node with a text, and others that share no memory with it. At the end of a test, nothing may
/// be left on any of them.
struct many_hosts {
  testing::simulation sim{1, post_settings()};
  node& home = sim.add_node(options());
  std::deque<mailbox> boxes;
  std::vector<node*> away;
  std::vector<caf::actor> readers;
  text_ref text = home.put(std::string(size, 'a'));

  ~many_hosts() {
    text = {};
    for (auto& box : boxes)
      box.clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }

  [[nodiscard]] node_options options() const {
    auto result = sim.default_options();
    result.same_host_reading = reading_in_place::off;
    result.transfer_chunk_bytes = 100'000;
    result.store_size_bytes = 2U << 20U;
    result.shards = 1;
    return result;
  }

  void add_nodes(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index)
      away.push_back(&sim.add_node(options()));
    sim.connect_all();
    sim.run();
    for (std::size_t index = 0; index < count; ++index) {
      auto& box = boxes.emplace_back(sim);
      caf::anon_send(sim.remote(home, *away[index], box.owner), letter{{text}});
    }
    sim.run();
  }

  /// Starts an actor that reads at one of the nodes, and counts if the text is as it should be.
  void start_reading(std::size_t index, std::size_t& intact) {
    auto ref = boxes.at(index).letters.at(0);
    readers.push_back(sim.system().spawn([=, &intact](caf::event_based_actor* self) {
      get(self, ref).then([&intact](const view<std::string>& value) {
        intact += *value == std::string(size, 'a') ? 1 : 0;
      });
    }));
  }

  void start_reading_everywhere(std::size_t& intact) {
    for (std::size_t index = 0; index < away.size(); ++index)
      start_reading(index, intact);
  }

  /// Starts readers on six nodes, and stops when so much has happened.
  void read_for(std::size_t steps, std::size_t& intact) {
    add_nodes(6);
    start_reading_everywhere(intact);
    for (std::size_t step = 0; step < steps; ++step)
      sim.run_one();
  }

  /// Ends the actors of a node, with all that they hold.
  void end_actors(std::size_t index) {
    caf::anon_send_exit(readers.at(index), caf::exit_reason::kill);
    boxes.at(index).clear();
  }
};

/// Ends the first of six readers, who sends the value on, at each of many moments, and then lets
/// `happen` bring the run to its end. All others get the value, whatever that was.
void at_each_moment(const std::function<void(many_hosts&)>& happen) {
  for (std::size_t steps = 0; steps < 1'000; steps += 25) {
    CAPTURE(steps);
    many_hosts all;
    std::size_t intact = 0;
    all.read_for(steps, intact);
    all.end_actors(0);
    happen(all);
    CHECK(intact >= 5);
  }
}

} // namespace

TEST_CASE_FIXTURE(many_hosts, "readers at the same time get the value from each other") {
  add_nodes(8);
  std::size_t intact = 0;
  start_reading_everywhere(intact);
  sim.run();
  CHECK(intact == 8);
  CHECK(home.stats().pushed_bytes <= 2 * size);
  for (auto* each : away) {
    CHECK(each->stats().pulled == object_count{1, size});
    CHECK(each->stats().pushed_bytes <= 2 * size);
  }
}

TEST_CASE_FIXTURE(many_hosts, "readers one after the other ask the owner less and less") {
  add_nodes(8);
  std::size_t intact = 0;
  for (std::size_t index = 0; index < 8; ++index) {
    start_reading(index, intact);
    sim.run();
  }
  CHECK(intact == 8);
  CHECK(home.stats().pushed_bytes <= 4 * size);
}

TEST_CASE_FIXTURE(many_hosts, "the owner knows who has copies, until they let go") {
  add_nodes(3);
  std::size_t intact = 0;
  start_reading_everywhere(intact);
  sim.run();
  CHECK(home.stats().known_copies == 3);
  boxes[1].clear();
  sim.run();
  CHECK(home.stats().known_copies == 2);
}

TEST_CASE_FIXTURE(many_hosts, "a copy that made space for others is not known any more") {
  add_nodes(1);
  std::size_t intact = 0;
  start_reading(0, intact);
  sim.run();
  CHECK(home.stats().known_copies == 1);
  auto rival = away[0]->put(std::string(std::size_t{1'500'000}, 'b'));
  sim.run();
  CHECK(away[0]->stats().evictions.objects == 1);
  CHECK(home.stats().known_copies == 0);
}

TEST_CASE("the rest comes from the owner when the one between dies, at whatever moment") {
  std::uint64_t lost_asks = 0;
  at_each_moment([&](many_hosts& all) {
    all.sim.crash(*all.away[0]);
    all.sim.run();
    for (std::size_t index = 1; index < 6; ++index)
      lost_asks += all.away[index]->stats().lost_asks;
  });
  CHECK(lost_asks > 0);
}

TEST_CASE("who sends a value on may let go of it, at whatever moment") {
  std::size_t sent_without_having = 0;
  at_each_moment([&](many_hosts& all) {
    all.sim.run();
    auto between = all.away[0]->stats();
    CHECK(between.resident.objects == 0);
    if (between.pushed_bytes > 0 && between.pulled.objects == 0)
      ++sent_without_having;
  });
  CHECK(sent_without_having > 0);
}

TEST_CASE_FIXTURE(many_hosts, "connections that break cost no more than a detour") {
  add_nodes(7);
  sim.break_transfers(5);
  std::size_t intact = 0;
  start_reading_everywhere(intact);
  for (int round = 0; round < 100 && intact < 7; ++round) {
    sim.run();
    sim.advance(100ms);
  }
  CHECK(intact == 7);
  sim.break_transfers(0);
}
