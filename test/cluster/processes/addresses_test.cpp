// Nodes on several networks, on one that has IPv6 only, and with addresses that swallow what is
// sent to them: in namespaces of their own, with real interfaces. Needs root and `ip`; skipped with
// a printed reason where these are missing.

#include "../../contains.hpp"
#include "network_host.hpp"
#include "peer_process.hpp"

using namespace mobula::test;

namespace {

/// Nodes that reach each other by the network only, and listen at all addresses of their hosts.
const std::vector<std::string> on_networks{"--mobula.same-host-reading=off",
                                           "--mobula.insecure=true"};

std::vector<std::string> on_networks_logging_to(const std::string& file) {
  auto result = on_networks;
  for (const auto& option : logging_to(file))
    result.push_back(option);
  return result;
}

void join(peer& node, const std::string& address, const peer& other) {
  node.say("join " + address + ":" + other.port());
  node.await("joined");
}

void meet(peer& one, peer& other) {
  one.await_member(other);
  other.await_member(one);
}

/// Has `reader` pull a value from `owner`'s data port.
void check_pull(peer& owner, peer& reader, const std::string& name) {
  owner.put(name, 1, 1'000'000);
  owner.send(name, reader);
  CHECK(reader.read(name) == "1 1000000");
  CHECK(reader.figure("pulled_objects") > 0);
  CHECK(reader.figure("unreachable_ports") == 0);
  CHECK(reader.figure("lost_asks") == 0);
}

/// A host in the middle of two networks, and one host on each.
struct two_networks {
  host middle{"m"};
  host left{"l"};
  host right{"r"};
  bool usable = middle.usable() && left.usable() && right.usable()
                && middle.connect(left, "left", "10.77.1.1/24", "10.77.1.2/24")
                && middle.connect(right, "right", "10.77.2.1/24", "10.77.2.2/24");
};

} // namespace

TEST_CASE_FIXTURE(two_networks, "a node on two networks is read from both") {
  if (!usable)
    return skip_without_networks();
  peer home{on_networks, middle.launcher(), "::"};
  peer first{on_networks, left.launcher(), "10.77.1.2"};
  peer second{on_networks, right.launcher(), "::"};
  join(first, "10.77.1.1", home);
  join(second, "10.77.2.1", home);
  meet(home, first);
  meet(home, second);
  check_pull(home, first, "to_first");
  check_pull(home, second, "to_second");
  check_pull(first, home, "from_first");
  check_pull(second, home, "from_second");
}

TEST_CASE_FIXTURE(two_networks, "members that have no way to each other say so in their logs") {
  if (!usable)
    return skip_without_networks();
  peer home{on_networks, middle.launcher(), "::"};
  // What it logs is among the lines that can be awaited.
  peer first{on_networks_logging_to("/dev/stdout"), left.launcher(), "::"};
  peer second{on_networks, right.launcher(), "::"};
  join(first, "10.77.1.1", home);
  join(second, "10.77.2.1", home);
  auto line = first.await("cannot connect to node " + second.incarnation());
  CHECK(contains(line, "which other members are connected to (1)"));
  CHECK(contains(line, "10.77.2.2"));
  CHECK(contains(line, "mobula.advertise"));
}

TEST_CASE("nodes meet where there is IPv6 only, and read each other's values") {
  host one{"v"};
  host other{"w"};
  if (!one.usable() || !other.usable()
      || !one.connect(other, "cable", "fd00:77::1/64", "fd00:77::2/64"))
    return skip_without_networks();
  peer home{on_networks, one.launcher(), "::"};
  peer away{on_networks, other.launcher(), "::"};
  join(away, "[fd00:77::1]", home);
  meet(home, away);
  check_pull(home, away, "there");
  check_pull(away, home, "back");
}

TEST_CASE("an address that swallows what is sent to it keeps nobody apart") {
  host one{"b"};
  host other{"c"};
  // An address of the first host, and the first that it tells, to which the second one's packets go
  // by a machine that is not there.
  if (!one.usable() || !other.usable()
      || !one.connect(other, "cable", "10.77.3.1/24", "10.77.3.2/24")
      || !one.ip("addr add 10.77.9.1/32 dev lo")
      || !other.ip("neigh add 10.77.3.99 lladdr 02:00:00:00:00:99 dev cable")
      || !other.ip("route add 10.77.9.1/32 via 10.77.3.99"))
    return skip_without_networks();
  peer home{on_networks, one.launcher(), "::"};
  peer neighbor{on_networks, one.launcher(), "::"};
  peer away{on_networks, other.launcher(), "::"};
  join(neighbor, "10.77.3.1", home);
  join(away, "10.77.3.1", home);
  meet(home, neighbor);
  meet(home, away);
  meet(neighbor, away);
  check_pull(home, away, "of_home");
  check_pull(neighbor, away, "of_neighbor");
}

TEST_CASE("a node that advertises an address is found there, and at its fixed data port") {
  host one{"a"};
  host other{"d"};
  if (!one.usable() || !other.usable()
      || !one.connect(other, "cable", "10.77.4.1/24", "10.77.4.2/24")
      || !one.ip("addr add 10.77.9.1/32 dev lo") || !other.ip("route add blackhole 10.77.9.1/32"))
    return skip_without_networks();
  auto options = on_networks;
  options.emplace_back("--mobula.advertise=[\"10.77.4.1\"]");
  options.emplace_back("--mobula.data-port=4243");
  peer home{options, one.launcher(), "::"};
  peer away{on_networks, other.launcher(), "::"};
  CHECK(home.data_port() == 4243);
  join(away, "10.77.4.1", home);
  meet(home, away);
  check_pull(home, away, "there");
}
