// Where a node listens, and what it tells others of that: with real sockets, in one process.

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../raw_socket.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "two_nodes.hpp"

using namespace mobula;

namespace {

using texts = std::vector<std::string>;

/// Two nodes of one actor system, the first with options of its own.
struct two_places {
  test::network_config settings;
  caf::actor_system system{settings};
  std::optional<node> first;
  node second{system};
  std::optional<cluster> place;
  cluster other_place{second};

  two_places() {
    start({});
  }

  void start(const std::function<void(node_options&)>& change) {
    place.reset();
    first.reset();
    auto options = read_options(settings);
    if (change)
      change(options);
    first.emplace(system, options);
    place.emplace(*first);
  }

  /// Has the second node join, and returns what the first tells of itself.
  node_record record() {
    other_place.join("127.0.0.1", place->port());
    REQUIRE(other_place.members().size() == 1);
    return other_place.members().front().record;
  }

  static texts addresses(const std::vector<endpoint>& where) {
    texts result;
    for (const auto& each : where)
      result.push_back(each.address);
    return result;
  }

  static void allow_all(node_options& options) {
    options.listening = listening_scope::any;
  }
};

} // namespace

TEST_CASE_FIXTURE(two_places, "a node to which no address is named listens at loopback") {
  auto port = place->listen("", 0);
  auto known = record();
  CHECK(known.control == std::vector{endpoint{"127.0.0.1", port}});
  CHECK(addresses(known.data.where) == texts{"127.0.0.1"});
}

TEST_CASE_FIXTURE(two_places, "a node listens elsewhere only if it is told that this is insecure") {
  for (const auto* address : {"0.0.0.0", "::"})
    CHECK_THROWS_WITH_AS(place->listen(address, 0), doctest::Contains("mobula.insecure=true"),
                         object_error);
  start(allow_all);
  CHECK(place->listen("0.0.0.0", 0) > 0);
}

TEST_CASE_FIXTURE(two_places, "a node that was refused an address may listen at another") {
  CHECK_THROWS_AS(place->listen("0.0.0.0", 0), object_error);
  CHECK(place->listen("127.0.0.1", 0) > 0);
}

TEST_CASE_FIXTURE(two_places, "a name stands for its number when it says where to listen") {
  CHECK(place->listen("localhost", 0) > 0);
}

TEST_CASE_FIXTURE(two_places, "who listens at all addresses tells each, loopback last") {
  start(allow_all);
  place->listen("0.0.0.0", 0);
  auto known = addresses(record().control);
  CHECK(std::ranges::count(known, "127.0.0.1") == 1);
  CHECK(known.back() == "127.0.0.1");
  CHECK(addresses(record().data.where) == known);
}

TEST_CASE_FIXTURE(two_places, "who joins through loopback listens at loopback only") {
  start(allow_all);
  auto port = other_place.listen("127.0.0.1", 0);
  place->join("127.0.0.1", port);
  auto known = other_place.members().front().record;
  CHECK(addresses(known.control) == texts{"127.0.0.1"});
  CHECK(addresses(known.data.where) == texts{"127.0.0.1"});
}

TEST_CASE_FIXTURE(two_places, "who would have to listen for others to join says what allows it") {
  CHECK_THROWS_WITH_AS(place->join("192.0.2.1", 4242),
                       doctest::Contains("cannot join through 192.0.2.1:4242: "), object_error);
  CHECK_THROWS_WITH_AS(place->join("192.0.2.1", 4242), doctest::Contains("mobula.insecure=true"),
                       object_error);
  CHECK(place->port() == 0);
}

TEST_CASE_FIXTURE(two_places, "who listens already may try to join through any address") {
  place->listen("127.0.0.1", 0);
  CHECK_THROWS_WITH_AS(place->join("no.such.host.invalid", 1), doctest::Contains("cannot resolve"),
                       object_error);
}

TEST_CASE_FIXTURE(two_places, "others are told what is advertised, with names as they are") {
  start([](node_options& options) { options.advertise = {"localhost:4242", "127.0.0.1"}; });
  auto port = place->listen("", 0);
  auto known = record();
  CHECK(known.control == std::vector{endpoint{"localhost", 4242}, endpoint{"127.0.0.1", port}});
  // A data port is named in numbers.
  for (const auto& where : known.data.where) {
    CHECK(reach_of(where.address) == address_reach::loopback);
    CHECK(where.port != 4242);
  }
}

TEST_CASE_FIXTURE(two_places, "an advertised name that does not resolve is named") {
  start([](node_options& options) { options.advertise = {"no.such.host.invalid"}; });
  CHECK_THROWS_WITH_AS(place->listen("", 0), doctest::Contains("option mobula.advertise"),
                       object_error);
  CHECK(place->port() == 0);
}

TEST_CASE_FIXTURE(two_places, "values are fetched from the port that is fixed") {
  auto free = test::raw_socket::listen_anywhere().port();
  start([&](node_options& options) { options.data_port = free; });
  place->listen("", 0);
  CHECK(record().data.where == std::vector{endpoint{"127.0.0.1", free}});
}

TEST_CASE_FIXTURE(two_places, "a fixed data port that is in use is named") {
  auto taken = test::raw_socket::listen_anywhere();
  start([&](node_options& options) { options.data_port = taken.port(); });
  CHECK_THROWS_WITH_AS(place->listen("", 0), doctest::Contains("data port: cannot listen"),
                       object_error);
}
