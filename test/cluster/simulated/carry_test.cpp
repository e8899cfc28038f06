// Small values that travel with their references.

#include "post.hpp"

using namespace mobula;

namespace {

std::unique_ptr<config> carrying_settings() {
  auto result = post_settings();
  result->set("mobula.piggyback", std::string{"4KiB"});
  return result;
}

/// Three nodes whose messages carry up to 4 KiB of values.
struct carrying_nodes : three_nodes {
  carrying_nodes() : three_nodes(carrying_settings()) {
    // nop
  }

  /// Returns how many messages between nodes it takes to read all that `away` has got.
  std::uint64_t cost_of_reading() {
    sim.run();
    auto before = peer_messages();
    for (const auto& outcome : away.get_all(at_away.letters))
      CHECK(outcome.has_value());
    sim.run();
    return peer_messages() - before;
  }
};

} // namespace

TEST_CASE_FIXTURE(carrying_nodes, "a small value is there with its reference") {
  send_away(home.put("a text"));
  CHECK(at_away.letters.at(0).ready());
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
  CHECK(cost_of_reading() == 0);
}

TEST_CASE_FIXTURE(carrying_nodes, "a borrower passes the value on with the reference") {
  send_away(home.put("a text"));
  send(away, third, at_third, letter{at_away.letters});
  sim.run();
  CHECK(at_third.letters.at(0).ready());
  CHECK(third.get(at_third.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(carrying_nodes,
                  "a message carries no more than it may, and the rest is asked for") {
  std::vector<text_ref> refs;
  for (int count = 0; count < 10; ++count)
    refs.push_back(home.put(std::string(1000, 'x')));
  send(home, away, at_away, letter{refs});
  sim.run();
  auto ready = std::ranges::count_if(at_away.letters, [](const auto& ref) { return ref.ready(); });
  CHECK(ready == 4);
  CHECK(cost_of_reading() == 2);
}

TEST_CASE_FIXTURE(carrying_nodes, "each message may carry as much as another") {
  for (int count = 0; count < 5; ++count)
    send_away(home.put(std::string(3000, 'x')));
  CHECK(cost_of_reading() == 0);
}

TEST_CASE_FIXTURE(carrying_nodes, "what is too large, pending or failed is asked for") {
  auto promise = home.make_promise<std::string>();
  auto broken = home.make_promise<std::string>();
  broken.set_error({.type = error_type::worker_died, .message = "as planned"});
  send(home, away, at_away,
       letter{{home.put(std::string(5000, 'x')), promise.ref(), broken.ref()}});
  sim.run();
  for (const auto& ref : at_away.letters)
    CHECK(!ref.ready());
  promise.set_value("a text");
  CHECK(away.get(at_away.letters.at(1)).copy() == "a text");
  CHECK(error_behind(away, at_away.letters.at(2)) == error_type::worker_died);
}

TEST_CASE_FIXTURE(carrying_nodes, "a value that refers to others is asked for") {
  send(home, away, at_away, parcel{home.put(box{{home.put("inner")}}), {}});
  sim.run();
  CHECK(!at_away.parcels.at(0).content.ready());
  CHECK(away.get(away.get(at_away.parcels.at(0).content)->inner.at(0)).copy() == "inner");
}

TEST_CASE_FIXTURE(carrying_nodes, "an array that travels along keeps its shape") {
  auto builder = home.create<array<float>>(array_shape{3, 4});
  std::ranges::fill(builder.elements(), 1.5F);
  send(home, away, at_away, parcel{{}, builder.seal()});
  sim.run();
  auto ref = at_away.parcels.at(0).anything.as<array<float>>();
  CHECK(ref.ready());
  CHECK(away.get(ref)->shape() == array_shape{3, 4});
}

// After any number of steps: before, while and after the message is under way.
TEST_CASE("a value that was freed while it traveled is taken back") {
  for (int steps = 0; steps < 20; ++steps) {
    CAPTURE(steps);
    carrying_nodes nodes;
    auto ref = nodes.home.put("a text");
    nodes.send(nodes.home, nodes.away, nodes.at_away, letter{{ref}});
    for (int step = 0; step < steps; ++step)
      nodes.sim.run_one();
    nodes.home.free(ref);
    nodes.sim.run();
    CHECK(error_behind(nodes.away, nodes.at_away.letters.at(0)) == error_type::object_freed);
  }
}
