// Values that are freed on one node while others refer to them.

#include "mobula/actors/caf/sending.hpp"
#include "post.hpp"

#include <optional>

#include "mobula/actors/wire/peer_messages.hpp"

using namespace mobula;

namespace {

const std::string small_text = "a text";
const std::string large_text(300'000, 'x');

/// A small and a large text of which all three nodes know, read by the borrowers.
struct with_texts : three_nodes {
  std::vector<text_ref> refs{home.put(small_text), home.put(large_text)};

  with_texts() {
    send(home, away, at_away, letter{refs});
    send(home, third, at_third, letter{refs});
    sim.run();
    read_all();
  }

  void read_all() {
    for (const auto& [reader, box] : {std::pair{&away, &at_away}, std::pair{&third, &at_third}})
      for (std::size_t index = 0; index < 2; ++index)
        REQUIRE(reader->get(box->letters.at(index))->size() > 0);
  }

  void check_all_freed() {
    sim.run();
    for (std::size_t index = 0; index < 2; ++index) {
      CHECK(error_behind(home, refs.at(index)) == error_type::object_freed);
      CHECK(error_behind(away, at_away.letters.at(index)) == error_type::object_freed);
      CHECK(error_behind(third, at_third.letters.at(index)) == error_type::object_freed);
    }
    CHECK(home.stats().arena_used_bytes == 0);
  }
};

} // namespace

TEST_CASE_FIXTURE(with_texts, "an owner frees a value for all") {
  home.free(refs);
  check_all_freed();
}

TEST_CASE_FIXTURE(with_texts, "a borrower frees a value for all") {
  away.free(at_away.letters);
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::object_freed);
  check_all_freed();
}

TEST_CASE_FIXTURE(with_texts, "a borrower may free a value and drop its references at once") {
  away.free(at_away.letters);
  at_away.clear();
  sim.run();
  CHECK(error_behind(home, refs.at(1)) == error_type::object_freed);
  CHECK(error_behind(third, at_third.letters.at(0)) == error_type::object_freed);
}

TEST_CASE_FIXTURE(three_nodes,
                  "the only borrower may free a value and drop its reference at once") {
  auto ref = home.put(small_text);
  send_away(ref);
  away.free(at_away.letters);
  at_away.clear();
  sim.run();
  CHECK(error_behind(home, ref) == error_type::object_freed);
}

TEST_CASE_FIXTURE(three_nodes,
                  "a borrower's actor may free a value in the message that brings it") {
  auto ref = home.put(large_text);
  auto freer = sim.system().spawn([this](caf::event_based_actor*) {
    return caf::behavior{[this](const letter& x) {
      away.free(x.refs);
    }};
  });
  caf::anon_send(sim.remote(home, away, freer), letter{{ref}});
  sim.run();
  CHECK(error_behind(home, ref) == error_type::object_freed);
  caf::anon_send_exit(freer, caf::exit_reason::user_shutdown);
}

// As a peer does that has lost its senses: its words come as those of its cluster actor.
TEST_CASE_FIXTURE(three_nodes, "a node frees no value that it does not hold") {
  auto ref = home.put(small_text);
  send_away(ref);
  auto at = [](node& owner) {
    return caf::actor_cast<caf::actor>(owner.core().cluster());
  };
  auto liar = caf::actor_cast<caf::strong_actor_ptr>(at(third));
  auto target = caf::actor_cast<caf::strong_actor_ptr>(sim.remote(third, home, at(home)));
  for (std::uint64_t session = 1; session <= 3; ++session)
    send_to(target, free_objects{session_id{session}, {ref.id().sequence}}, liar);
  sim.run();
  CHECK(home.get(ref).copy() == small_text);
  CHECK(away.get(at_away.letters.at(0)).copy() == small_text);
}

TEST_CASE("a free arrives whatever order the messages of two nodes take") {
  testing::for_each_seed(1, 100, post_settings, [](testing::simulation& sim) {
    auto& home = sim.add_node();
    auto& away = sim.add_node();
    sim.connect_all();
    mailbox at_away{sim};
    auto ref = home.put(small_text);
    caf::anon_send(sim.remote(home, away, at_away.owner), letter{{ref}});
    while (at_away.letters.empty())
      REQUIRE(sim.run_one_randomly());
    away.free(at_away.letters);
    for (auto rest = sim.random()() % 20; rest > 0; --rest)
      sim.run_one_randomly();
    at_away.clear();
    sim.run_randomly();
    CHECK(error_behind(home, ref) == error_type::object_freed);
  });
}

TEST_CASE_FIXTURE(with_texts, "freeing many values costs a message for each borrower") {
  auto before = peer_messages();
  home.free(refs);
  check_all_freed();
  CHECK(peer_messages() - before == 2);
}

TEST_CASE_FIXTURE(with_texts, "views of a freed value stay readable on other nodes") {
  {
    auto small = away.get(at_away.letters.at(0));
    auto large = away.get(at_away.letters.at(1));
    home.free(refs);
    sim.run();
    CHECK(*small == small_text);
    CHECK(*large == large_text);
  }
  check_all_freed();
}

TEST_CASE_FIXTURE(with_texts, "a reference that comes after the free gives the same error") {
  home.free(refs);
  sim.run();
  at_third.clear();
  sim.run();
  send(away, third, at_third, letter{at_away.letters});
  sim.run();
  check_all_freed();
}

TEST_CASE_FIXTURE(three_nodes, "a reader on another node that waits hears of the free") {
  auto promise = home.make_promise<std::string>();
  send_away(promise.ref());
  std::optional<error_type> seen;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, at_away.letters.at(0))
      .then([](const view<std::string>&) {},
            [&](caf::error& error) { seen = to_error_info(error).type; });
  });
  sim.run();
  home.free(promise.ref());
  sim.run();
  CHECK(seen == error_type::object_freed);
}

TEST_CASE_FIXTURE(with_texts, "a value that outlived its owner is freed where it is") {
  sim.cut(home, away);
  sim.run();
  REQUIRE(away.get(at_away.letters.at(0)).copy() == small_text);
  away.free(at_away.letters);
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::object_freed);
  sim.run();
  CHECK(away.stats().peer_waits == 0);
}

TEST_CASE("a value can be freed before its owner is met") {
  testing::simulation sim{1, post_settings()};
  auto& home = sim.add_node();
  auto& away = sim.add_node();
  auto& third = sim.add_node();
  sim.connect(home, away);
  sim.connect(away, third);
  mailbox at_away{sim};
  mailbox at_third{sim};
  auto ref = home.put(small_text);
  caf::anon_send(sim.remote(home, away, at_away.owner), letter{{ref}});
  sim.run();
  caf::anon_send(sim.remote(away, third, at_third.owner), letter{at_away.letters});
  while (at_third.letters.empty())
    REQUIRE(sim.run_one());
  third.free(at_third.letters);
  at_third.clear();
  sim.run();
  CHECK(error_behind(home, ref) == error_type::object_freed);
}
