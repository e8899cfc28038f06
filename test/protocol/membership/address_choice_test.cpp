// Where nodes listen, which addresses they tell, and in which order others try them.

#include <doctest/doctest.h>

#include "../../contains.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"

using namespace mobula;
using test::contains;

namespace {

using texts = std::vector<std::string>;
using endpoints = std::vector<endpoint>;

/// A host on two networks, each with both kinds of addresses.
const texts interfaces{"127.0.0.1", "10.0.0.7",       "192.168.1.7", "::1",
                       "fd00::7",   "fe80::1%cable0", "169.254.9.9"};

endpoints told(const std::string& address, const texts& host = interfaces,
               const endpoints& advertised = {}) {
  return endpoints_to_advertise({address, 42}, host, advertised);
}

std::string place(const texts& numbers, listening_scope allowed = listening_scope::any) {
  auto found = place_to_join_from({"member", 42}, numbers, allowed);
  const auto* where = std::get_if<joining_place>(&found);
  return where == nullptr ? std::get<std::string>(found) : where->address;
}

} // namespace

// -- what addresses are ---------------------------------------------------------------------------

TEST_CASE("addresses are told apart by from where they can be dialed") {
  for (const auto* loopback : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
    CHECK(reach_of(loopback) == address_reach::loopback);
  for (const auto* all : {"0.0.0.0", "::"})
    CHECK(reach_of(all) == address_reach::all);
  for (const auto* local : {"169.254.1.1", "fe80::1", "fe80::1%eth0"})
    CHECK(reach_of(local) == address_reach::link_local);
  for (const auto* network : {"10.0.0.1", "128.0.0.1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1"})
    CHECK(reach_of(network) == address_reach::network);
  for (const auto* name : {"localhost", "10.0.0", "host7.example", ""})
    CHECK(reach_of(name) == address_reach::named);
}

TEST_CASE("an IPv4 address that an IPv6 socket sees is written as one") {
  CHECK(plain_address("::ffff:10.0.0.7") == "10.0.0.7");
  CHECK(plain_address("fe80::1%eth0") == "fe80::1");
  CHECK(plain_address("fd00::7") == "fd00::7");
  CHECK(plain_address("host7.example") == "host7.example");
}

TEST_CASE("advertised addresses may have a port, and brackets where they need them") {
  CHECK(read_advertised("10.0.0.7") == endpoint{"10.0.0.7", 0});
  CHECK(read_advertised("10.0.0.7:42") == endpoint{"10.0.0.7", 42});
  CHECK(read_advertised("host7.example:65535") == endpoint{"host7.example", 65535});
  CHECK(read_advertised("fd00::7") == endpoint{"fd00::7", 0});
  CHECK(read_advertised("[fd00::7]") == endpoint{"fd00::7", 0});
  CHECK(read_advertised("[fd00::7]:42") == endpoint{"fd00::7", 42});
}

TEST_CASE("what nobody could dial is no advertised address") {
  for (const auto* bad : {"", ":42", "0.0.0.0", "::", "[::]:42", "host:", "host:0", "host:65536",
                          "host:x", "[fd00::7", "[fd00::7]42", "a host", "[]:42"})
    CHECK_MESSAGE(!read_advertised(bad), bad);
  CHECK_FALSE(read_advertised(std::string(256, 'a')));
}

// -- listening ------------------------------------------------------------------------------------

TEST_CASE("a node listens at loopback whatever is allowed") {
  for (const auto* number : {"127.0.0.1", "::1"})
    for (auto allowed : {listening_scope::loopback, listening_scope::any})
      CHECK_FALSE(objection_to_listening({"localhost", 42}, number, allowed));
}

TEST_CASE("a node listens elsewhere only if that is allowed, and says what allows it") {
  for (const auto* number : {"10.0.0.7", "0.0.0.0", "::", "fd00::7"}) {
    CHECK_FALSE(objection_to_listening({number, 42}, number, listening_scope::any));
    auto objection = objection_to_listening({"host7", 42}, number, listening_scope::loopback);
    REQUIRE(objection);
    CHECK(contains(*objection, "cannot listen at host7:42: "));
    CHECK(contains(*objection, "listen at 127.0.0.1, or set mobula.insecure=true"));
  }
}

TEST_CASE("who joins through a loopback address listens at loopback only") {
  for (auto allowed : {listening_scope::loopback, listening_scope::any}) {
    CHECK(place({"127.0.0.1"}, allowed) == "127.0.0.1");
    CHECK(place({"::1", "127.0.0.1"}, allowed) == "127.0.0.1");
    CHECK(place({"::1"}, allowed) == "::1");
    CHECK(place({}, allowed) == "127.0.0.1");
  }
}

TEST_CASE("who joins through another address listens at all, or says what allows that") {
  CHECK(place({"10.0.0.7"}).empty());
  CHECK(place({"127.0.0.1", "10.0.0.7"}).empty());
  auto objection = place({"10.0.0.7"}, listening_scope::loopback);
  CHECK(contains(objection, "at member:42 have to connect to this node too"));
  CHECK(contains(objection, "mobula.insecure=true"));
}

// -- advertising ----------------------------------------------------------------------------------

TEST_CASE("a node that listens at one address tells that one") {
  CHECK(told("10.0.0.7") == endpoints{{"10.0.0.7", 42}});
  CHECK(told("::1") == endpoints{{"::1", 42}});
}

TEST_CASE("a node that listens at all addresses tells those of all networks, loopback last") {
  CHECK(told("::")
        == endpoints{
          {"10.0.0.7", 42}, {"192.168.1.7", 42}, {"fd00::7", 42}, {"127.0.0.1", 42}, {"::1", 42}});
}

TEST_CASE("a node that listens at all IPv4 addresses tells no others") {
  CHECK(told("0.0.0.0") == endpoints{{"10.0.0.7", 42}, {"192.168.1.7", 42}, {"127.0.0.1", 42}});
}

TEST_CASE("a node on an IPv6 network only tells an address of it") {
  CHECK(told("::", {"::1", "fd00::7"}) == endpoints{{"fd00::7", 42}, {"::1", 42}});
}

TEST_CASE("a node tells one address at least, whatever the system says") {
  CHECK(told("::", {}) == endpoints{{"127.0.0.1", 42}});
}

TEST_CASE("a node tells each address once, and no more than others read") {
  texts many{"10.0.0.7", "10.0.0.7"};
  CHECK(told("0.0.0.0", many) == endpoints{{"10.0.0.7", 42}});
  for (int number = 0; number < 40; ++number)
    many.push_back("10.0.1." + std::to_string(number));
  auto result = told("0.0.0.0", many);
  CHECK(result.size() == max_advertised_endpoints);
  CHECK(result.back() == endpoint{"127.0.0.1", 42});
}

TEST_CASE("what is advertised is told in place of what the host has") {
  CHECK(told("::", interfaces, {{"host7.example", 0}, {"203.0.113.7", 4242}})
        == endpoints{{"host7.example", 42}, {"203.0.113.7", 4242}});
  CHECK(told("127.0.0.1", interfaces, {{"tunnel", 0}}) == endpoints{{"tunnel", 42}});
}

// -- trying ---------------------------------------------------------------------------------------

TEST_CASE("the address that two nodes speak over already is tried first") {
  endpoints both{{"10.0.0.7", 42}, {"192.168.1.7", 42}, {"127.0.0.1", 42}};
  CHECK(used_first(both, "192.168.1.7")
        == endpoints{{"192.168.1.7", 42}, {"10.0.0.7", 42}, {"127.0.0.1", 42}});
  CHECK(used_first(both, "::ffff:192.168.1.7").front() == endpoint{"192.168.1.7", 42});
  CHECK(used_first(both, "203.0.113.9") == both);
  CHECK(used_first(both, "") == both);
}

TEST_CASE("where a node was reached before it is dialed first, told or not") {
  endpoints both{{"10.0.0.7", 42}, {"192.168.1.7", 42}};
  CHECK(reached_first(both, std::nullopt) == both);
  CHECK(reached_first(both, endpoint{"192.168.1.7", 42})
        == endpoints{{"192.168.1.7", 42}, {"10.0.0.7", 42}});
  CHECK(reached_first(both, endpoint{"tunnel", 1}).front() == endpoint{"tunnel", 1});
  CHECK(reached_first(both, endpoint{"tunnel", 1}).size() == 3);
}

TEST_CASE("loopback addresses of another host are left out, unless there are no others") {
  CHECK(without_loopback({{"10.0.0.7", 42}, {"127.0.0.1", 42}, {"::1", 42}})
        == endpoints{{"10.0.0.7", 42}});
  CHECK(without_loopback({{"127.0.0.1", 42}}) == endpoints{{"127.0.0.1", 42}});
}
