// Many nodes in processes of their own, and much that they hold of each other.

#include "peer_process.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>

using namespace mobula::test;

namespace {

/// A machine that is busy with all of them may keep one waiting for long.
const std::vector<std::string> one_of_many{
  "--mobula.heartbeat-interval=1s", "--mobula.heartbeat-timeout=30s", "--mobula.grace-period=31s"};

/// So many processes that all know each other.
class crowd {
public:
  explicit crowd(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index)
      peers_.push_back(std::make_unique<peer>(one_of_many));
    for (std::size_t index = 1; index < count; ++index)
      peers_[index]->join(*peers_[0]);
    for (const auto& each : peers_)
      for (const auto& other : peers_)
        if (each != other)
          each->await_member(*other);
  }

  [[nodiscard]] peer& at(std::size_t index) {
    return *peers_[index % peers_.size()];
  }

  template <class F>
  void each(F&& f) {
    for (std::size_t index = 0; index < peers_.size(); ++index)
      f(index);
  }

  void await_nothing_left() {
    for (const auto& each : peers_)
      each->await_nothing_left();
  }

private:
  std::vector<std::unique_ptr<peer>> peers_;
};

/// Moves a stranger through its life and kills it at a moment that nobody can know.
class victim_rounds {
public:
  explicit victim_rounds(std::uint64_t seed) : random_(seed) {
    other_.join(home_);
    home_.await_member(other_);
    other_.await_member(home_);
  }

  void round() {
    peer victim{hasty};
    victim.join(home_);
    for (auto* survivor : {&home_, &other_}) {
      survivor->await_member(victim);
      victim.await_member(*survivor);
    }
    home_.put("lent", 20, choose_size());
    home_.do_so("send lent " + victim.incarnation());
    let_it_work(victim);
    // Any moment of all this will do.
    std::this_thread::sleep_for(std::chrono::microseconds{random_() % 20'000});
    victim.signal(SIGKILL);
    end_round(victim);
  }

private:
  [[nodiscard]] std::size_t choose_size() {
    return random_() % 2 == 0 ? 100 : 300'000;
  }

  /// Nothing here is waited for.
  void let_it_work(peer& victim) {
    victim.say("put made 20 " + std::to_string(choose_size()));
    victim.say("send made " + home_.incarnation());
    victim.say("send made " + other_.incarnation());
    victim.say("finish lent");
    victim.say("drop made");
    if (random_() % 2 == 0)
      victim.say("put more 50 300000");
  }

  /// The survivors still understand each other, and get an end of everything that they read.
  void end_round(peer& victim) {
    for (auto* survivor : {&home_, &other_})
      survivor->await_loss(victim);
    // These come after whatever the dead one sent.
    home_.send("lent", other_);
    other_.send("lent", home_);
    CHECK(other_.read("lent").starts_with("20 "));
    for (auto* survivor : {&home_, &other_}) {
      survivor->finish("made");
      survivor->drop("lent");
    }
    for (auto* survivor : {&home_, &other_})
      survivor->await_nothing_left();
  }

  std::mt19937_64 random_;
  peer home_{hasty};
  peer other_{hasty};
};

} // namespace

TEST_CASE("fifty processes read an object of one of them") {
  crowd nodes{50};
  nodes.at(0).put("text", 1, 1000);
  nodes.each([&](std::size_t index) {
    if (index > 0)
      nodes.at(0).send("text", nodes.at(index));
  });
  nodes.at(0).drop("text");
  nodes.each([&](std::size_t index) {
    if (index > 0) {
      CHECK(nodes.at(index).read("text") == "1 1000");
      nodes.at(index).drop("text");
    }
  });
  nodes.await_nothing_left();
}

TEST_CASE("ten processes hold a hundred thousand references to each other's objects") {
  crowd nodes{10};
  nodes.each([&](std::size_t index) {
    auto name = "from_" + std::to_string(index);
    nodes.at(index).put(name, 10'000, 10);
    CHECK(nodes.at(index).send(name, nodes.at(index + 1)) == "10000");
    nodes.at(index).drop(name);
  });
  nodes.each([&](std::size_t index) {
    auto name = "from_" + std::to_string(index);
    CHECK(nodes.at(index + 1).read(name) == "10000 100000");
    nodes.at(index + 1).drop(name);
  });
  nodes.await_nothing_left();
}

// MOBULA_ROUNDS=200 runs more of them than ./check does.
TEST_CASE("processes that are killed at any moment leave nothing behind") {
  auto rounds = number_from("MOBULA_ROUNDS", 20);
  victim_rounds work{std::random_device{}()};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    CAPTURE(round);
    work.round();
  }
}
