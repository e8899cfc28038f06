// Values of other nodes' objects, without failures.

#include "../../temporary_directory.hpp"
#include "post.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

/// Three nodes, and an object at home that is made after its reference was sent.
struct with_promise : three_nodes {
  std::optional<promise<std::string>> open{home.make_promise<std::string>()};

  with_promise() {
    send_away(open->ref());
  }

  text_ref& borrowed() {
    return at_away.letters.at(0);
  }
};

/// Starts a reader of `ref` that notes what it sees.
caf::actor read_into(testing::simulation& sim, text_ref ref, std::string& seen) {
  return sim.system().spawn([ref = std::move(ref), &seen](caf::event_based_actor* self) mutable {
    get(self, std::move(ref)).then([&seen](const view<std::string>& text) { seen = *text; });
  });
}

} // namespace

TEST_CASE_FIXTURE(with_promise, "a reader on another node waits until the object is made") {
  std::string seen;
  auto reader = read_into(sim, borrowed(), seen);
  sim.run();
  CHECK(seen.empty());
  CHECK(!borrowed().ready());
  open->set_value("a text");
  sim.run();
  CHECK(seen == "a text");
}

TEST_CASE_FIXTURE(with_promise, "readers on several nodes wait for one object") {
  send(home, third, at_third, letter{{open->ref()}});
  sim.run();
  std::string seen_away;
  std::string seen_third;
  auto first = read_into(sim, borrowed(), seen_away);
  auto second = read_into(sim, at_third.letters.at(0), seen_third);
  sim.run();
  open->set_value("a text");
  sim.run();
  CHECK(seen_away == "a text");
  CHECK(seen_third == "a text");
}

// CAF takes all that it is given into memory, ahead of the heartbeats on the same connection.
TEST_CASE_FIXTURE(three_nodes, "many values are asked for in rounds of a few megabytes") {
  std::vector<text_ref> refs;
  for (int count = 0; count < 100; ++count)
    refs.push_back(home.put(std::string(100'000, 'x')));
  send(home, away, at_away, letter{refs});
  sim.run();
  auto before = away.stats().peer_messages;
  for (const auto& outcome : away.get_all(at_away.letters))
    CHECK(outcome->size() == 100'000);
  CHECK(away.stats().peer_messages - before == 3);
}

TEST_CASE_FIXTURE(three_nodes, "many objects that are made at once are told in such rounds too") {
  std::vector<promise<std::string>> open;
  std::vector<text_ref> refs;
  for (int count = 0; count < 100; ++count) {
    open.push_back(home.make_promise<std::string>());
    refs.push_back(open.back().ref());
  }
  send(home, away, at_away, letter{refs});
  sim.run();
  std::size_t seen = 0;
  std::vector<caf::actor> readers;
  for (const auto& ref : at_away.letters)
    readers.push_back(sim.system().spawn([ref, &seen](caf::event_based_actor* self) {
      get(self, ref).then([&seen](const view<std::string>&) { ++seen; });
    }));
  sim.run();
  auto before = away.stats().peer_messages;
  for (auto& each : open)
    each.set_value(std::string(100'000, 'x'));
  sim.run();
  CHECK(seen == 100);
  CHECK(away.stats().peer_messages - before == 2);
}

TEST_CASE_FIXTURE(with_promise, "a promise that breaks is an error on every node") {
  open.reset();
  CHECK(error_behind(away, borrowed()) == error_type::promise_broken);
}

TEST_CASE_FIXTURE(with_promise, "an error keeps what was known of it on the way") {
  open->set_error({.type = error_type::worker_died, .message = "as planned"});
  auto result = away.try_get(borrowed());
  REQUIRE(!result);
  CHECK(to_error_info(result.error()).message == "as planned");
}

TEST_CASE_FIXTURE(with_promise, "a get of another node's object times out") {
  auto result = away.try_get(borrowed(), 5ms);
  REQUIRE(!result);
  CHECK(to_error_info(result.error()).type == error_type::get_timed_out);
}

TEST_CASE_FIXTURE(with_promise, "an owner waits no longer for a reader that let go") {
  CHECK(!away.try_get(borrowed(), 5ms));
  CHECK(home.stats().peer_waits == 1);
  at_away.clear();
  sim.run();
  CHECK(home.stats().peer_waits == 0);
}

// Order: away borrows, returns and asks in one turn. The owner sends another reference after any
// number of steps, also right behind its answer, so that away meets the reference first.
TEST_CASE("a reader that gave up does not spoil a reference that comes later") {
  for (int steps = 0; steps < 20; ++steps) {
    CAPTURE(steps);
    three_nodes nodes;
    auto ref = nodes.home.put("a text");
    nodes.send(nodes.home, nodes.away, nodes.at_away, letter{{ref}});
    while (nodes.at_away.letters.empty())
      REQUIRE(nodes.sim.run_one());
    nodes.away.core().gateway().request(nodes.at_away.letters.at(0).entry(), pull_priority::get);
    nodes.at_away.clear();
    for (int step = 0; step < steps; ++step)
      nodes.sim.run_one();
    nodes.send_away(ref);
    auto result = nodes.away.try_get(nodes.at_away.letters.at(0));
    REQUIRE_MESSAGE(result, to_string(to_error_info(result.error())));
  }
}

TEST_CASE_FIXTURE(three_nodes, "reading an object often asks its owner once") {
  send_away(home.put("a text"));
  auto before = peer_messages();
  for (int times = 0; times < 100; ++times)
    CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
  CHECK(peer_messages() - before == 2);
}

TEST_CASE_FIXTURE(three_nodes, "a batch get costs one question, and an answer for 500 values") {
  std::vector<text_ref> refs;
  for (int number = 0; number < 1000; ++number)
    refs.push_back(home.put(std::to_string(number)));
  send(home, away, at_away, letter{refs});
  sim.run();
  auto before = peer_messages();
  auto results = away.get_all(at_away.letters);
  for (int number = 0; number < 1000; ++number)
    CHECK(*results[static_cast<std::size_t>(number)] == std::to_string(number));
  CHECK(peer_messages() - before == 3);
}

TEST_CASE_FIXTURE(three_nodes, "wait counts other nodes' objects as they become ready") {
  auto open = home.make_promise<std::string>();
  send(home, away, at_away, letter{{open.ref(), home.put("a text")}});
  sim.run();
  auto result = away.wait(at_away.letters, 1);
  REQUIRE(result.ready.size() == 1);
  CHECK(result.ready[0] == at_away.letters[1]);
}

TEST_CASE_FIXTURE(three_nodes, "a large value travels to other nodes") {
  std::string text(3'000'000, 'x');
  send_away(home.put(text));
  CHECK(away.get(at_away.letters.at(0)).copy() == text);
  CHECK(home.stats().pinned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "an array keeps its shape on the way") {
  auto builder = home.create<array<float>>(array_shape{3, 4});
  std::ranges::fill(builder.elements(), 1.5F);
  send(home, away, at_away, parcel{{}, builder.seal()});
  sim.run();
  auto matrix = away.get(at_away.parcels.at(0).anything.as<array<float>>());
  CHECK(matrix->shape() == array_shape{3, 4});
}

TEST_CASE_FIXTURE(three_nodes, "a value brings its references along") {
  send(home, away, at_away, parcel{home.put(box{{home.put("inner")}}), {}});
  sim.run();
  auto content = away.get(at_away.parcels.at(0).content);
  CHECK(away.get(content->inner.at(0)).copy() == "inner");
}

TEST_CASE_FIXTURE(three_nodes, "a reference found in a value outlives the value") {
  send(home, away, at_away, parcel{home.put(box{{home.put("inner"), home.put("other")}}), {}});
  sim.run();
  auto inner = away.get(at_away.parcels.at(0).content)->inner.at(0);
  at_away.clear();
  sim.run();
  CHECK(home.stats().owned.objects == 1);
  CHECK(away.get(inner).copy() == "inner");
}

TEST_CASE_FIXTURE(three_nodes, "a value may refer to objects of its reader") {
  auto ref = away.put("inner");
  send(away, home, at_home, letter{{ref}});
  sim.run();
  send(home, away, at_away, parcel{home.put(box{at_home.letters}), {}});
  at_home.clear();
  sim.run();
  CHECK(away.get(at_away.parcels.at(0).content)->inner.at(0) == ref);
}

TEST_CASE_FIXTURE(three_nodes, "a value may refer to objects of a third node") {
  send(third, home, at_home, letter{{third.put("inner")}});
  sim.run();
  send(home, away, at_away, parcel{home.put(box{at_home.letters}), {}});
  at_home.clear();
  sim.run();
  auto inner = away.get(at_away.parcels.at(0).content)->inner.at(0);
  at_away.clear();
  CHECK(away.get(inner).copy() == "inner");
}

TEST_CASE_FIXTURE(three_nodes, "values nest over nodes, and go when their last reference does") {
  send(home, away, at_away, parcel{home.put(box{{home.put("inner")}}), {}});
  sim.run();
  send(away, third, at_third, parcel{at_away.parcels.at(0).content, {}});
  at_away.clear();
  sim.run();
  CHECK(third.get(third.get(at_third.parcels.at(0).content)->inner.at(0)).copy() == "inner");
  CHECK(home.stats().owned.objects == 2);
  at_third.clear();
  sim.run();
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "the value of a borrowed object can be put into another one") {
  send_away(home.put("inner"));
  auto outer = away.put(box{at_away.letters});
  at_away.clear();
  sim.run();
  CHECK(away.get(away.get(outer)->inner.at(0)).copy() == "inner");
}

TEST_CASE("a value comes from the disk of its owner") {
  auto settings = post_settings();
  test::temporary_directory directory;
  settings->set("mobula.spill-dirs", std::vector<std::string>{directory.path()});
  testing::simulation sim{1, std::move(settings)};
  auto options = sim.default_options();
  options.store_size_bytes = 256 * 1024;
  options.shards = 1;
  auto& home = sim.add_node(options);
  auto& away = sim.add_node();
  sim.connect(home, away);
  mailbox at_away{sim};
  std::vector<text_ref> refs;
  for (char letter = 'a'; letter < 'h'; ++letter)
    refs.push_back(home.put(std::string(110'000, letter)));
  CHECK(home.stats().spilled.objects > 0);
  caf::anon_send(sim.remote(home, away, at_away.owner), letter{refs});
  sim.run();
  for (char letter = 'a'; letter < 'h'; ++letter)
    CHECK(away.get(at_away.letters.at(static_cast<std::size_t>(letter - 'a'))).copy()
          == std::string(110'000, letter));
  refs.clear();
  at_away.clear();
  CHECK(sim.leftovers() == "");
}
