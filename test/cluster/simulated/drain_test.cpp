// Nodes that leave, and have others keep what they refer to.

#include "post.hpp"

#include <chrono>
#include <future>
#include <memory>

#include <mobula/actors/messages/cluster_requests.hpp>

using namespace mobula;
using namespace std::literals;

namespace {

/// Whether the nodes read each other's stored values in place.
template <reading_in_place Reading>
struct leaving_node {
  testing::simulation sim{1, post_settings()};
  node& home = sim.add_node(options());
  node& away = sim.add_node(options());
  mailbox at_away{sim};

  leaving_node() {
    sim.connect(home, away);
    sim.run();
  }

  ~leaving_node() {
    at_away.clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }

  [[nodiscard]] node_options options() const {
    auto result = sim.default_options();
    result.same_host_reading = Reading;
    result.store_size_bytes = 2U << 20U;
    result.shards = 1;
    return result;
  }

  static std::string text(std::size_t size = 500'000) {
    return std::string(size, 'a');
  }

  void send_away(const text_ref& ref) {
    caf::anon_send(sim.remote(home, away, at_away.owner), letter{{ref}});
    sim.run();
  }

  void leave() {
    sim.remove_node(home);
    sim.run();
  }

  [[nodiscard]] std::string read(std::size_t index = 0) {
    return away.get(at_away.letters.at(index)).copy();
  }
};

using leaving_neighbor = leaving_node<reading_in_place::automatic>;
using leaving_host = leaving_node<reading_in_place::off>;

} // namespace

TEST_CASE_FIXTURE(leaving_neighbor, "a small value stays with those who refer to it") {
  send_away(home.put("a text"));
  CHECK(home.drain(10s) == drain_result{.kept = 1, .lost = 0});
  leave();
  CHECK(read() == "a text");
}

TEST_CASE_FIXTURE(leaving_neighbor, "a stored value of the host stays with those who refer to it") {
  send_away(home.put(text()));
  CHECK(home.drain(10s) == drain_result{.kept = 1, .lost = 0});
  leave();
  CHECK(read() == text());
  CHECK(read() == text());
}

TEST_CASE_FIXTURE(leaving_host, "a stored value of another host is fetched, and stays") {
  send_away(home.put(text()));
  CHECK(home.drain(10s) == drain_result{.kept = 1, .lost = 0});
  leave();
  CHECK(away.stats().pulled.objects == 1);
  CHECK(read() == text());
}

TEST_CASE_FIXTURE(leaving_host, "what was pulled before stays, and is not evicted any more") {
  send_away(home.put(text()));
  CHECK(read() == text());
  CHECK(home.drain(10s).kept == 1);
  leave();
  for (int count = 0; count < 6; ++count)
    static_cast<void>(away.put(text(300'000)));
  CHECK(read() == text());
  CHECK(away.stats().pulled.objects == 1);
}

TEST_CASE_FIXTURE(leaving_host, "what was pulled and evicted before is fetched again") {
  send_away(home.put(text(1'200'000)));
  CHECK(read() == text(1'200'000));
  static_cast<void>(away.put(text(1'200'000)));
  sim.run();
  CHECK(away.stats().evictions.objects == 1);
  CHECK(home.drain(10s).kept == 1);
  leave();
  CHECK(read() == text(1'200'000));
}

TEST_CASE_FIXTURE(leaving_neighbor, "what a value refers to stays as well") {
  auto inner = home.put("inner");
  auto outer = home.put(box{{inner}});
  inner = {};
  caf::anon_send(sim.remote(home, away, at_away.owner), parcel{outer, {}});
  sim.run();
  outer = {};
  CHECK(home.drain(10s) == drain_result{.kept = 2, .lost = 0});
  leave();
  auto content = away.get(at_away.parcels.at(0).content);
  CHECK(away.get(content->inner.at(0)).copy() == "inner");
}

TEST_CASE_FIXTURE(leaving_neighbor, "references in messages under way are waited for") {
  caf::anon_send(sim.remote(home, away, at_away.owner), letter{{home.put("a text")}});
  CHECK(home.drain(10s) == drain_result{.kept = 1, .lost = 0});
  leave();
  CHECK(read() == "a text");
}

TEST_CASE_FIXTURE(leaving_neighbor, "nobody keeps what nobody refers to") {
  send_away(home.put("a text"));
  at_away.clear();
  sim.run();
  auto mine = home.put("another");
  CHECK(home.drain(10s) == drain_result{});
}

TEST_CASE_FIXTURE(leaving_neighbor, "a value that is not there is not waited for") {
  auto open = home.make_promise<std::string>();
  send_away(open.ref());
  CHECK(home.drain(10s) == drain_result{});
}

TEST_CASE_FIXTURE(leaving_host, "what does not fit at its reader is lost, and said to be") {
  auto mine = away.put(text(1'500'000));
  auto view = away.get(mine);
  send_away(home.put(text(1'000'000)));
  CHECK(home.drain(1min) == drain_result{.kept = 0, .lost = 1});
}

TEST_CASE_FIXTURE(leaving_neighbor, "who is cut off keeps nothing, and is not waited for") {
  send_away(home.put("a text"));
  sim.cut(home, away);
  sim.run();
  CHECK(home.drain(10s) == drain_result{});
}

TEST_CASE_FIXTURE(leaving_host, "a kept value goes with its last reference") {
  send_away(home.put(text()));
  CHECK(home.drain(10s).kept == 1);
  leave();
  at_away.clear();
  sim.run();
  CHECK(away.stats().resident.objects == 0);
}

TEST_CASE_FIXTURE(leaving_host, "a node may stay after all") {
  send_away(home.put(text()));
  CHECK(home.drain(10s).kept == 1);
  CHECK(home.drain(10s).kept == 1);
  at_away.clear();
  sim.run();
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(leaving_host, "two drains at the same time share one leaving") {
  send_away(home.put(text()));
  auto begin_drain = [this](std::chrono::nanoseconds limit) {
    auto promised = std::make_shared<std::promise<drain_result>>();
    caf::anon_send(home.core().cluster(), drain_values{limit, promised});
    return promised->get_future();
  };
  auto first = begin_drain(10s);
  auto second = begin_drain(1min);
  sim.run();
  CHECK(first.get() == drain_result{.kept = 1, .lost = 0});
  CHECK(second.get() == drain_result{.kept = 1, .lost = 0});
}

TEST_CASE("a node that is in no cluster cannot leave one") {
  testing::simulation sim;
  auto& node = sim.add_node();
  CHECK_THROWS_AS(node.drain(1s), object_error);
}
