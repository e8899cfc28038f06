// Which connections a control port lets through, decided without sockets and clocks.

#include <chrono>

#include <doctest/doctest.h>

#include "../caf/caf_handshake.hpp"
#include "mobula/actors/membership/stranger_table.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

namespace {

/// A table, and what it wants.
struct port_in_use {
  stranger_id arrive(std::size_t connections = 0) {
    effects.clear();
    return table.arrived(now, connections, effects);
  }

  /// All of `bytes` can be read.
  void say(stranger_id stranger, const std::vector<std::byte>& bytes) {
    effects.clear();
    auto head = std::span{bytes}.first(std::min(bytes.size(), caf_header_bytes));
    table.readable(stranger, head, bytes.size(), effects);
  }

  void pass(std::chrono::nanoseconds time) {
    effects.clear();
    now += time;
    table.time_passed(now, effects);
  }

  /// Returns the one effect of the last event. REQUIRES: it is of this kind.
  template <class Effect>
  [[nodiscard]] const Effect& only() const {
    REQUIRE(effects.size() == 1);
    REQUIRE(std::holds_alternative<Effect>(effects.front()));
    return std::get<Effect>(effects.front());
  }

  [[nodiscard]] bool closes(stranger_id stranger, std::string_view why) const {
    const auto& closed = only<close_stranger>();
    return closed.stranger == stranger && closed.why.find(why) != std::string::npos;
  }

  stranger_limits limits{.max_strangers = 2, .max_connections = 3, .patience = 5s, .pause = 100ms};
  stranger_table table{limits};
  stranger_table::time_point now{};
  stranger_effects effects;
};

} // namespace

TEST_CASE_FIXTURE(port_in_use, "who comes is waited for until a header can be read") {
  auto stranger = arrive();
  CHECK(only<await_bytes>().stranger == stranger);
  CHECK(only<await_bytes>().count == caf_header_bytes);
}

TEST_CASE_FIXTURE(port_in_use,
                  "a whole handshake is handed over, and the stranger is none any more") {
  auto stranger = arrive();
  say(stranger, caf_handshake{}.whole());
  CHECK(only<hand_over>().stranger == stranger);
  CHECK(table.strangers() == 0);
  pass(1h);
  CHECK(effects.empty());
}

TEST_CASE_FIXTURE(port_in_use, "what follows the handshake may have arrived with it") {
  auto stranger = arrive();
  auto bytes = caf_handshake{}.whole();
  bytes.resize(bytes.size() + 1);
  say(stranger, bytes);
  CHECK(only<hand_over>().stranger == stranger);
}

TEST_CASE_FIXTURE(port_in_use, "half a header is waited for") {
  auto stranger = arrive();
  auto bytes = caf_handshake{}.header();
  bytes.pop_back();
  say(stranger, bytes);
  CHECK(only<await_bytes>().count == caf_header_bytes);
}

TEST_CASE_FIXTURE(port_in_use, "a handshake that lacks a byte is waited for") {
  auto stranger = arrive();
  auto bytes = caf_handshake{}.whole();
  auto whole = bytes.size();
  bytes.pop_back();
  say(stranger, bytes);
  CHECK(only<await_bytes>().count == whole);
}

TEST_CASE_FIXTURE(port_in_use,
                  "a first header that announces more than a handshake has is closed") {
  for (std::uint32_t length : {0U, max_handshake_bytes(handshake_of::dialer) + 1, 0xFFFFFFFFU}) {
    auto stranger = arrive();
    say(stranger, caf_handshake{.announced_bytes = length}.header());
    CHECK(closes(stranger, std::to_string(length) + " bytes"));
  }
}

TEST_CASE_FIXTURE(port_in_use, "the longest handshake that there may be is waited for") {
  auto stranger = arrive();
  auto most = max_handshake_bytes(handshake_of::dialer);
  say(stranger, caf_handshake{.announced_bytes = most}.header());
  CHECK(only<await_bytes>().count == caf_header_bytes + most);
}

TEST_CASE_FIXTURE(port_in_use, "who begins with anything else than a handshake is closed") {
  for (const auto& wrong : {caf_handshake{.operation = 0, .version = 3}, // what a listener says
                            caf_handshake{.operation = 2}, caf_handshake{.operation = 255},
                            caf_handshake{.actor = 1}}) {
    auto stranger = arrive();
    say(stranger, wrong.whole());
    CHECK(closes(stranger, "did not begin with the handshake"));
  }
}

TEST_CASE_FIXTURE(port_in_use, "a stranger that ends is closed") {
  auto stranger = arrive();
  effects.clear();
  table.ended(stranger, effects);
  CHECK(closes(stranger, "ended"));
}

TEST_CASE_FIXTURE(port_in_use, "patience ends exactly when it is said to") {
  auto stranger = arrive();
  CHECK(table.next_deadline(now) == now + 5s);
  pass(5s - 1ns);
  CHECK(effects.empty());
  pass(1ns);
  CHECK(closes(stranger, "5000 ms"));
  CHECK_FALSE(table.next_deadline(now).has_value());
}

TEST_CASE_FIXTURE(port_in_use, "saying a little at a time does not prolong patience") {
  auto stranger = arrive();
  pass(4s);
  say(stranger, caf_handshake{}.header());
  pass(1s);
  CHECK(closes(stranger, "5000 ms"));
}

TEST_CASE_FIXTURE(port_in_use, "one stranger too many pushes out the oldest") {
  auto oldest = arrive();
  auto second = arrive();
  auto newest = arrive();
  REQUIRE(effects.size() == 2);
  CHECK(std::get<close_stranger>(effects[0]).stranger == oldest);
  CHECK(std::get<await_bytes>(effects[1]).stranger == newest);
  CHECK(table.strangers() == 2);
  say(second, caf_handshake{}.whole());
  CHECK(only<hand_over>().stranger == second);
}

TEST_CASE_FIXTURE(port_in_use, "no more connections are let in than may be open") {
  auto last = arrive(2);
  CHECK(only<await_bytes>().stranger == last);
  auto refused = arrive(3);
  CHECK(closes(refused, "3 others"));
  CHECK(table.strangers() == 1);
}

TEST_CASE_FIXTURE(port_in_use, "without descriptors accepting pauses, and goes on after that") {
  CHECK(table.may_accept(now));
  table.descriptors_ran_out(now);
  CHECK_FALSE(table.may_accept(now));
  CHECK(table.next_deadline(now) == now + 100ms);
  CHECK_FALSE(table.may_accept(now + 100ms - 1ns));
  CHECK(table.may_accept(now + 100ms));
  CHECK_FALSE(table.next_deadline(now + 100ms).has_value());
}

TEST_CASE_FIXTURE(port_in_use, "a second pause counts from its own beginning") {
  table.descriptors_ran_out(now);
  table.descriptors_ran_out(now + 100ms);
  CHECK_FALSE(table.may_accept(now + 200ms - 1ns));
  CHECK(table.may_accept(now + 200ms));
}

TEST_CASE_FIXTURE(port_in_use, "what is told of a stranger that was closed changes nothing") {
  auto stranger = arrive();
  pass(5s);
  say(stranger, caf_handshake{}.whole());
  CHECK(effects.empty());
  table.ended(stranger, effects);
  CHECK(effects.empty());
}

TEST_CASE("a listener's first header names a version, and may announce more than a dialer's") {
  auto read = [](const caf_handshake& said) {
    auto bytes = said.header();
    return read_first_header(std::span{bytes}.first<caf_header_bytes>(), handshake_of::listener);
  };
  auto most = max_handshake_bytes(handshake_of::listener);
  CHECK(std::get<std::uint32_t>(read({.operation = 0, .announced_bytes = most, .version = 3}))
        == most);
  CHECK(std::holds_alternative<std::string>(
    read({.operation = 0, .announced_bytes = most + 1, .version = 3})));
  CHECK(std::holds_alternative<std::string>(read({.operation = 0, .version = 0})));
  CHECK(std::holds_alternative<std::string>(read({.operation = 1, .version = 3})));
}
