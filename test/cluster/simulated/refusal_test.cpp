// Values that cannot be brought to their reader: `wait` and `get` agree about them.

#include "post.hpp"

#include <optional>

using namespace mobula;
using namespace std::literals;

namespace {

/// The store of `away`, which shares no memory with `home`, is too small for a large text.
struct too_small {
  testing::simulation sim{1, post_settings()};
  node& home = sim.add_node(far_options(16U << 20U));
  node& away = sim.add_node(far_options(1U << 20U));
  mailbox at_away{sim};

  too_small() {
    sim.connect(home, away);
    sim.run();
  }

  ~too_small() {
    at_away.clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }

  [[nodiscard]] node_options far_options(std::size_t store_size_bytes) const {
    auto result = sim.default_options();
    result.same_host_reading = reading_in_place::off;
    result.store_size_bytes = store_size_bytes;
    result.shards = 1;
    return result;
  }

  text_ref& send(std::size_t size) {
    caf::anon_send(sim.remote(home, away, at_away.owner),
                   letter{{home.put(std::string(size, 'x'))}});
    sim.run();
    return at_away.letters.back();
  }

  text_ref& send_large() {
    return send(2'000'000);
  }

  error_type error_now(const text_ref& ref) const {
    auto result = away.try_get(ref, 0s);
    REQUIRE(!result);
    return to_error_info(result.error()).type;
  }
};

coroutine wait_in_coroutine(caf::event_based_actor* self, std::vector<text_ref> refs,
                            std::size_t& ready) {
  auto result = co_await wait(self, std::move(refs), 1);
  ready = result.ready.size();
}

} // namespace

TEST_CASE_FIXTURE(too_small, "what cannot be brought here is ready, and a get fails at once") {
  auto& ref = send_large();
  auto result = away.wait(std::vector{ref}, 1);
  CHECK(result.ready == std::vector{ref});
  CHECK(error_now(ref) == error_type::store_full);
}

TEST_CASE_FIXTURE(too_small, "the get after that tries anew") {
  auto& ref = send_large();
  CHECK(away.wait(std::vector{ref}, 1).ready.size() == 1);
  CHECK(error_now(ref) == error_type::store_full);
  CHECK(error_now(ref) == error_type::get_timed_out);
  CHECK(error_behind(away, ref) == error_type::store_full);
}

TEST_CASE_FIXTURE(too_small, "a second wait returns it as well, without a message") {
  auto& ref = send_large();
  CHECK(away.wait(std::vector{ref}, 1).ready.size() == 1);
  auto before = away.stats().peer_messages;
  CHECK(away.wait(std::vector{ref}, 1, 0s).ready.size() == 1);
  CHECK(away.stats().peer_messages == before);
}

TEST_CASE_FIXTURE(too_small, "a get that failed leaves nothing for a wait") {
  auto& ref = send_large();
  CHECK(error_behind(away, ref) == error_type::store_full);
  CHECK(away.wait(std::vector{ref}, 1, 0s).ready.empty());
  sim.run();
}

TEST_CASE_FIXTURE(too_small, "a loop over wait ends when some values cannot be had") {
  std::vector<text_ref> pending;
  for (std::size_t size : {200'000, 2'000'000, 300'000, 3'000'000})
    pending.push_back(send(size));
  std::size_t values = 0;
  std::size_t rounds = 0;
  for (; !pending.empty() && rounds < 4; ++rounds) {
    auto result = away.wait(pending, 1);
    for (const auto& ref : result.ready)
      values += away.try_get(ref, 0s) ? 1 : 0;
    pending = std::move(result.pending);
  }
  CHECK(pending.empty());
  CHECK(rounds == 4);
  CHECK(values == 2);
}

TEST_CASE_FIXTURE(too_small, "an actor's wait and a coroutine's return it as well") {
  auto& ref = send_large();
  std::size_t by_handler = 0;
  std::size_t by_coroutine = 0;
  sim.system().spawn([&, ref](caf::event_based_actor* self) {
    wait(self, std::vector{ref}, 1).then([&](const wait_result<std::string>& result) {
      by_handler = result.ready.size();
    });
    wait_in_coroutine(self, {ref}, by_coroutine);
  });
  sim.run();
  CHECK(by_handler == 1);
  CHECK(by_coroutine == 1);
}

TEST_CASE_FIXTURE(too_small, "a batch has the reason in the place of what cannot be had") {
  std::vector refs{send(200'000), send_large(), send(300'000)};
  CHECK(away.wait(refs, 3).ready.size() == 3);
  auto results = away.get_all(refs, 0s);
  CHECK(results.at(0).has_value());
  REQUIRE(results.at(1).has_error());
  CHECK(results.at(1).error().type == error_type::store_full);
  CHECK(results.at(2).has_value());
}

TEST_CASE_FIXTURE(too_small, "a value that is freed after it was refused is freed") {
  auto& ref = send_large();
  CHECK(away.wait(std::vector{ref}, 1).ready.size() == 1);
  away.free(ref);
  CHECK(error_behind(away, ref) == error_type::object_freed);
}

TEST_CASE_FIXTURE(too_small, "an owner that is lost after a refusal is what a get tells") {
  auto& ref = send_large();
  CHECK(away.wait(std::vector{ref}, 1).ready.size() == 1);
  sim.cut(home, away);
  sim.run();
  CHECK(error_behind(away, ref) == error_type::owner_died);
}

TEST_CASE_FIXTURE(too_small,
                  "what was refused is kept for a node that leaves once there is space") {
  auto seen = std::make_optional(away.get(send(700'000)));
  at_away.clear();
  auto& ref = send(600'000);
  CHECK(away.wait(std::vector{ref}, 1).ready.size() == 1);
  seen.reset();
  sim.run();
  CHECK(home.drain(10s) == drain_result{.kept = 1, .lost = 0});
}
