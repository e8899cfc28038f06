// Nodes whose data port has several addresses, of which some lead nowhere, or to others.

#include <doctest/doctest.h>

#include "misbehaving_peers.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

data_address at(std::uint16_t port) {
  return {.ip = "127.0.0.1", .port = port};
}

/// A port of loopback at which nobody listens.
data_address refusing() {
  return at(raw_socket::listen_anywhere().port());
}

/// A host that asks another one, which has an object of ten bytes for it.
struct host_and_source {
  transfer_host source{2};
  transfer_host host{1, {.greeting_ms = 2'000}};

  host_and_source() {
    source.put(1, random_content(10));
    source.put(2, random_content(10));
    source.admit(host.self());
  }

  void know(std::vector<data_address> addresses) {
    // The token is that of the asking host, as `admit` has it.
    host.know(source.self(), addresses);
  }

  void check_pull(std::uint64_t number = 1) {
    host.pull(number, 10, {source.self()});
    CHECK(host.wait_for(number) == random_content(10));
    host.wait([&] {
      CHECK(host.pulls().lost_asks == 0);
      CHECK(host.unreachable().empty());
      return true;
    });
  }
};

} // namespace

TEST_CASE_FIXTURE(host_and_source, "an address where nobody listens is passed over") {
  know({refusing(), {.ip = "127.0.0.2", .port = 1}, source.port().address()});
  check_pull();
}

TEST_CASE_FIXTURE(host_and_source, "an address that says nothing is given a part of the time") {
  auto deaf = raw_socket::listen_anywhere();
  know({at(deaf.port()), source.port().address()});
  check_pull();
}

TEST_CASE_FIXTURE(host_and_source, "an address where another node listens is passed over") {
  transfer_host other{3};
  other.admit(host.self());
  know({other.port().address(), source.port().address()});
  check_pull();
}

TEST_CASE_FIXTURE(host_and_source, "an address where another service talks is passed over") {
  auto service = raw_socket::listen_anywhere();
  know({at(service.port()), source.port().address()});
  host.pull(1, 10, {source.self()});
  service.accept().send(random_content(1'000));
  CHECK(host.wait_for(1) == random_content(10));
  host.wait([&] {
    CHECK(host.lines().empty());
    return true;
  });
}

TEST_CASE_FIXTURE(host_and_source, "where a node has greeted it is found first the next time") {
  auto deaf = raw_socket::listen_anywhere();
  know({at(deaf.port()), source.port().address()});
  check_pull(1);
  auto first_try = deaf.accept();
  REQUIRE(first_try.receive());
  for (std::uint32_t lane = 0; lane < 4; ++lane)
    host.port().close({.node = source.self(), .lane = data_lane{lane}});
  check_pull(2);
  CHECK_FALSE(deaf.has_caller());
}

TEST_CASE("a node that none of its addresses leads to is unreachable for the worst of reasons") {
  transfer_host host{1, {.greeting_ms = 20}};
  auto deaf = raw_socket::listen_anywhere();
  incarnation_id lost{.high = 9, .low = 10};
  host.know(lost, std::vector{at(deaf.port()), refusing()});
  host.pull(1, 10, {lost});
  host.wait([&] { return host.pulls().lost_asks == 1; });
  host.wait([&] {
    CHECK(host.unreachable() == std::vector{connect_failure::silent});
    return true;
  });
}

TEST_CASE("a port that listens at all addresses hears both kinds") {
  transfer_host source{2, {.listen = {.ip = "::"}}};
  if (!source.failure().empty()) {
    MESSAGE("skipped: no IPv6 here: ", source.failure());
    return;
  }
  auto port = source.port().address().port;
  for (const auto* ip : {"127.0.0.1", "::1"}) {
    transfer_host host{1};
    source.put(1, random_content(10));
    source.admit(host.self());
    host.know(source.self(), data_address{.ip = ip, .port = port});
    host.pull(1, 10, {source.self()});
    CHECK(host.wait_for(1) == random_content(10));
  }
}
