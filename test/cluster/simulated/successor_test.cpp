// References that are handed on when their owner has left.

#include "post.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

std::unique_ptr<config> successor_settings(std::string_view same_host_reading) {
  auto result = post_settings();
  result->set("mobula.same-host-reading", std::string{same_host_reading});
  result->set("mobula.store-size", std::string{"2MiB"});
  result->set("mobula.shards", 1);
  return result;
}

/// `home` leaves; what it owned is at `away`, who hands it on to `third`.
struct departure : three_nodes {
  explicit departure(std::string_view same_host_reading = "auto")
    : three_nodes(successor_settings(same_host_reading)) {
    // nop
  }

  static std::string text(std::size_t size = 500'000) {
    return std::string(size, 'a');
  }

  void leave() {
    CHECK(home.drain(1min).lost == 0);
    sim.remove_node(home);
    sim.run();
  }

  template <class Message>
  void hand_on(Message message) {
    send(away, third, at_third, std::move(message));
    sim.run();
  }

  [[nodiscard]] std::string handed_on() {
    return third.get(at_third.letters.at(0)).copy();
  }
};

struct departure_of_another_host : departure {
  departure_of_another_host() : departure("off") {
    // nop
  }
};

} // namespace

TEST_CASE_FIXTURE(departure, "a small value is handed on when its owner has left") {
  send_away(home.put("a text"));
  leave();
  hand_on(letter{at_away.letters});
  CHECK(handed_on() == "a text");
}

TEST_CASE_FIXTURE(departure, "a value in the arena of a node that left is handed on") {
  send_away(home.put(text()));
  leave();
  hand_on(letter{at_away.letters});
  CHECK(handed_on() == text());
}

TEST_CASE_FIXTURE(departure_of_another_host,
                  "a pulled value is handed on when its owner has left") {
  send_away(home.put(text()));
  leave();
  hand_on(letter{at_away.letters});
  CHECK(handed_on() == text());
}

TEST_CASE_FIXTURE(departure, "what is handed on twice is one object") {
  send_away(home.put("a text"));
  leave();
  hand_on(letter{{at_away.letters.at(0), at_away.letters.at(0)}});
  CHECK(at_third.letters.at(0) == at_third.letters.at(1));
  CHECK(away.stats().owned.objects == 1);
}

TEST_CASE_FIXTURE(departure, "a successor lives as long as somebody refers to it") {
  send_away(home.put("a text"));
  leave();
  hand_on(letter{at_away.letters});
  at_away.clear();
  sim.run();
  CHECK(handed_on() == "a text");
  at_third.clear();
  sim.run();
  CHECK(away.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(departure, "a successor is handed back to who made it") {
  send_away(home.put("a text"));
  leave();
  hand_on(letter{at_away.letters});
  at_away.clear();
  send(third, away, at_away, letter{at_third.letters});
  sim.run();
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(departure_of_another_host, "a successor that finds no space waits for it") {
  send_away(home.put(text(1'200'000)));
  leave();
  hand_on(letter{at_away.letters});
  CHECK(!third.try_get(at_third.letters.at(0), 1s));
  at_away.clear();
  sim.run();
  CHECK(handed_on() == text(1'200'000));
}

TEST_CASE_FIXTURE(departure, "values that were written before lead to what their owner left") {
  send_away(home.put("a text"));
  auto outer = away.put(box{at_away.letters});
  at_away.clear();
  leave();
  hand_on(parcel{outer, {}});
  auto content = third.get(at_third.parcels.at(0).content);
  CHECK(third.get(content->inner.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(departure, "values that are written later lead to what an owner left") {
  send_away(home.put(text()));
  leave();
  auto outer = away.put(box{at_away.letters});
  hand_on(parcel{outer, {}});
  outer = {};
  at_away.clear();
  auto content = third.get(at_third.parcels.at(0).content);
  CHECK(third.get(content->inner.at(0)).copy() == text());
}

TEST_CASE_FIXTURE(departure, "large values that were written before name successors as well") {
  std::vector<text_ref> many;
  for (int count = 0; count < 5'000; ++count)
    many.push_back(home.put("a text"));
  send(home, away, at_away, letter{many});
  sim.run();
  many.clear();
  // Read where it is, and larger than what travels in a message.
  auto outer = away.put(box{at_away.letters});
  REQUIRE(away.stats().stored.objects == 1);
  at_away.clear();
  leave();
  hand_on(parcel{outer, {}});
  auto content = third.get(at_third.parcels.at(0).content);
  auto texts = third.get_all(content->inner);
  CHECK(texts.size() == 5'000);
  for (const auto& each : texts)
    REQUIRE(*each == "a text");
}

TEST_CASE_FIXTURE(departure, "successors have successors") {
  send_away(home.put("a text"));
  auto& fourth = sim.add_node();
  mailbox at_fourth{sim};
  sim.connect_all();
  sim.run();
  auto outer = away.put(box{at_away.letters});
  leave();
  hand_on(parcel{outer, {}});
  outer = {};
  at_away.clear();
  CHECK(away.drain(1min) == drain_result{.kept = 2, .lost = 0});
  sim.remove_node(away);
  sim.run();
  send(third, fourth, at_fourth, at_third.parcels.at(0));
  sim.run();
  {
    auto content = fourth.get(at_fourth.parcels.at(0).content);
    CHECK(fourth.get(content->inner.at(0)).copy() == "a text");
  }
  at_fourth.clear();
}

TEST_CASE_FIXTURE(departure, "a freed value has no successor") {
  send_away(home.put("a text"));
  leave();
  away.free(at_away.letters.at(0));
  hand_on(letter{at_away.letters});
  CHECK(error_behind(third, at_third.letters.at(0)) == error_type::owner_died);
}
