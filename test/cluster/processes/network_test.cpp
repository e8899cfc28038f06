// Nodes in namespaces of their own, as containers are: what they tell each other really leaves over
// an interface, which can be slow, lose packets, and fall silent without a word; and one does not
// see the other's shared memory. Needs root and `ip`; skipped with a printed reason where these are
// missing.

#include <cstdio>
#include <fstream>
#include <optional>

#include "network_host.hpp"
#include "peer_process.hpp"

using namespace mobula::test;

namespace {

/// Two hosts with one cable between them.
class cable {
public:
  cable() {
    if (!usable_)
      skip_without_networks();
  }

  [[nodiscard]] bool usable() const noexcept {
    return usable_;
  }

  [[nodiscard]] std::vector<std::string> left() const {
    return left_.launcher();
  }

  [[nodiscard]] std::vector<std::string> right() const {
    return right_.launcher();
  }

  /// Neither side hears anything any more, and nobody tells them so.
  void pull() const {
    for (const auto* side : {&left_, &right_})
      control(*side, "qdisc replace dev cable root tbf rate 8bit burst 1 limit 1");
  }

  void plug_in() const {
    for (const auto* side : {&left_, &right_})
      control(*side, "qdisc del dev cable root");
  }

  /// Returns whether the cable now carries so much a second and loses what exceeds a short queue.
  [[nodiscard]] bool make_slow(const std::string& rate = "8mbit") const {
    for (const auto* side : {&left_, &right_})
      if (!side->run_inside("tc qdisc replace dev cable root tbf rate " + rate
                            + " burst 4kb limit 16kb"))
        return false;
    return true;
  }

  /// Nothing that comes from this port of the left side arrives: whoever connects there hears
  /// nothing. Returns whether that can be brought about here.
  [[nodiscard]] bool hide(std::uint16_t port) const {
    return left_.ip("rule add ipproto tcp sport " + std::to_string(port) + " blackhole");
  }

  /// The same for the connections to that port that there are now, as if a firewall between had
  /// forgotten them.
  [[nodiscard]] bool forget_connections(std::uint16_t port) const {
    auto from = " rule add ipproto tcp sport " + std::to_string(port) + " dport ";
    return left_.run_inside("ss -Htn state established sport = :" + std::to_string(port)
                            + " | sed 's/.*://' | tr -d ' ' | xargs -r -I{} ip -n " + left_.name()
                            + from + "{} blackhole");
  }

  /// Returns how many packets the left side has lost since it became slow.
  [[nodiscard]] int lost() const {
    auto file = "/tmp/mobula_cable_" + std::to_string(::getpid());
    REQUIRE(left_.run_inside("tc -s qdisc show dev cable > " + file));
    std::ifstream input{file};
    std::string word;
    while (input >> word)
      if (word == "(dropped")
        break;
    int result = 0;
    input >> result;
    std::remove(file.c_str());
    return result;
  }

private:
  static void control(const host& side, const std::string& command) {
    auto succeeded = side.run_inside("tc " + command);
    REQUIRE_MESSAGE(succeeded, command);
  }

  host left_{"left"};
  host right_{"right"};
  bool usable_ = left_.usable() && right_.usable()
                 && left_.connect(right_, "cable", "10.77.0.1/24", "10.77.0.2/24");
};

/// Two peers, one at each end of a cable, that never look at each other's memory.
struct distant_peers {
  cable between;
  std::optional<peer> home;
  std::optional<peer> away;

  distant_peers() {
    if (!between.usable())
      return;
    const std::vector<std::string> options{"--mobula.same-host-reading=off",
                                           "--mobula.insecure=true"};
    home.emplace(options, between.left(), "10.77.0.1");
    away.emplace(options, between.right(), "10.77.0.2");
    away->join(*home);
    home->await_member(*away);
    away->await_member(*home);
  }

  void send_home_to_away(const std::string& name, std::size_t count, std::size_t size) {
    home->put(name, count, size);
    home->send(name, *away);
    home->drop(name);
  }

  void await_nothing_left() {
    away->await_nothing_left();
    home->await_nothing_left();
  }
};

} // namespace

TEST_CASE_FIXTURE(distant_peers, "values cross a network") {
  if (!between.usable())
    return;
  send_home_to_away("small", 100, 100);
  send_home_to_away("large", 2, 3'000'000);
  CHECK(away->read("small") == "100 10000");
  CHECK(away->read("large") == "2 6000000");
  away->drop("small");
  away->drop("large");
  await_nothing_left();
}

TEST_CASE_FIXTURE(distant_peers, "values cross a network that is slow and loses packets") {
  if (!between.usable())
    return;
  if (!between.make_slow()) {
    MESSAGE("skipped: the kernel has no token bucket filter");
    return;
  }
  send_home_to_away("large", 3, 500'000);
  CHECK(away->view("large") == "3 1500000");
  away->check("large");
  CHECK(between.lost() > 0);
  away->do_so("close large");
  away->drop("large");
  await_nothing_left();
}

TEST_CASE_FIXTURE(distant_peers, "a chunk that takes longer than a node may be silent arrives") {
  if (!between.usable())
    return;
  if (!between.make_slow("1mbit")) {
    MESSAGE("skipped: the kernel has no token bucket filter");
    return;
  }
  send_home_to_away("large", 1, 3'000'000);
  CHECK(away->view("large") == "1 3000000");
  away->check("large");
  CHECK(away->figure("pulled_objects") == 1);
  CHECK(away->figure("lost_asks") == 0);
  away->do_so("close large");
  away->drop("large");
  await_nothing_left();
}

TEST_CASE_FIXTURE(distant_peers, "a data port out of reach is found out once, for all objects") {
  if (!between.usable())
    return;
  if (!between.hide(home->data_port())) {
    MESSAGE("skipped: the kernel has no rules for ports");
    return;
  }
  send_home_to_away("first", 1, 300'000);
  CHECK(away->read("first") == "1 300000");
  CHECK(away->figure("unreachable_ports") == 1);
  auto lost = away->figure("lost_asks");
  send_home_to_away("others", 20, 300'000);
  CHECK(away->read("others") == "20 6000000");
  CHECK(away->figure("lost_asks") == lost);
  away->drop("first");
  away->drop("others");
  await_nothing_left();
}

TEST_CASE_FIXTURE(distant_peers, "a data connection that a firewall has forgotten is replaced") {
  if (!between.usable())
    return;
  send_home_to_away("first", 1, 300'000);
  CHECK(away->read("first") == "1 300000");
  if (!between.forget_connections(home->data_port())) {
    MESSAGE("skipped: the kernel has no rules for ports");
    return;
  }
  send_home_to_away("others", 3, 300'000);
  CHECK(away->read("others") == "3 900000");
  CHECK(away->figure("pulled_objects") == 4);
  CHECK(away->figure("unreachable_ports") == 0);
  away->drop("first");
  away->drop("others");
  await_nothing_left();
}

TEST_CASE_FIXTURE(distant_peers,
                  "a silent network counts as death, and life goes on when it is back") {
  if (!between.usable())
    return;
  send_home_to_away("text", 10, 1000);
  between.pull();
  home->await_loss(*away);
  away->await_loss(*home);
  CHECK(away->fail_to_read("text") == "owner_died");
  away->drop("text");
  await_nothing_left();
  between.plug_in();
  home->await_member(*away);
  away->await_member(*home);
  send_home_to_away("text", 10, 1000);
  CHECK(away->read("text") == "10 10000");
  away->drop("text");
  await_nothing_left();
}

TEST_CASE("a process that sees another /dev/shm is sent the bytes") {
  if (!run("unshare --mount mount -t tmpfs none /dev/shm")) {
    MESSAGE("skipped: no mount namespaces here; they need root");
    return;
  }
  peer home;
  peer away{
    {}, {"unshare", "--mount", "sh", "-c", "mount -t tmpfs none /dev/shm && exec \"$@\"", "sh"}};
  away.join(home);
  home.await_member(away);
  home.put("large", 2, 3'000'000);
  home.send("large", away);
  home.drop("large");
  CHECK(away.view("large") == "2 6000000");
  away.check("large");
  away.do_so("close large");
  away.drop("large");
  away.await_nothing_left();
  home.await_nothing_left();
}
