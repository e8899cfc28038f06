// Values that are larger than a message may be, between nodes that cannot pull them.

#include "post.hpp"

using namespace mobula;

namespace {

/// The least there is: a message may have a little more than 16 MiB then.
constexpr std::uint64_t least_limit = 1U << 20U;

/// Two nodes that share no memory, the data port of the first out of the other's reach. The other
/// has the least limit for messages.
struct out_of_reach {
  testing::simulation sim{1, post_settings()};
  node& home;
  node& away = sim.add_node(options(least_limit));
  mailbox at_away{sim};

  explicit out_of_reach(std::uint64_t limit_at_home = least_limit)
    : home(sim.add_node(options(limit_at_home))) {
    sim.hide_port(home);
    sim.connect(home, away);
    sim.run();
  }

  ~out_of_reach() {
    at_away.clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }

  [[nodiscard]] node_options options(std::uint64_t message_limit_bytes) const {
    auto result = sim.default_options();
    result.same_host_reading = reading_in_place::off;
    result.store_size_bytes = 32U << 20U;
    result.message_limit_bytes = message_limit_bytes;
    return result;
  }

  const text_ref& send(std::size_t size) {
    caf::anon_send(sim.remote(home, away, at_away.owner),
                   letter{{home.put(std::string(size, 'a'))}});
    sim.run();
    return at_away.letters.back();
  }
};

/// The owner's limit would let anything pass.
struct larger_limit_at_home : out_of_reach {
  larger_limit_at_home() : out_of_reach(256U << 20U) {
    // nop
  }
};

constexpr std::size_t too_large = 17U << 20U;

} // namespace

TEST_CASE_FIXTURE(out_of_reach, "a value that no message holds is refused, with what would help") {
  auto result = away.try_get(send(too_large));
  REQUIRE(!result);
  auto reason = to_error_info(result.error());
  CHECK(reason.type == error_type::object_fetch_timed_out);
  CHECK(reason.message.find("mobula.message-limit") != std::string::npos);
  CHECK(away.get(send(300'000))->size() == 300'000);
}

TEST_CASE_FIXTURE(out_of_reach, "a value that no message holds is asked for again") {
  auto ref = send(too_large);
  CHECK(error_behind(away, ref) == error_type::object_fetch_timed_out);
  auto before = home.stats().peer_messages;
  CHECK(error_behind(away, ref) == error_type::object_fetch_timed_out);
  CHECK(home.stats().peer_messages > before);
}

TEST_CASE_FIXTURE(out_of_reach, "a large value that a message just holds comes in one") {
  CHECK(away.get(send(16U << 20U))->size() == 16U << 20U);
}

TEST_CASE_FIXTURE(larger_limit_at_home, "a value that its reader would not let in is not sent") {
  auto result = away.try_get(send(too_large));
  REQUIRE(!result);
  auto reason = to_error_info(result.error());
  CHECK(reason.type == error_type::object_fetch_timed_out);
  CHECK(reason.message.find("mobula.message-limit") != std::string::npos);
  CHECK(away.get(send(8U << 20U))->size() == 8U << 20U);
}
