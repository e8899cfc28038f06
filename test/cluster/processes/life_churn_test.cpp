// Four processes of which one goes in each round, in any way, and another comes: what they
// publish and lend meanwhile is read, and nothing of it is left. `MOBULA_ROUNDS` says how many
// rounds.

#include "peer_process.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>

using namespace mobula::test;

namespace {

/// There is no member that stays: any may go, also the one that the others joined through.
class changing_cluster {
public:
  explicit changing_cluster(std::uint64_t seed) : random_(seed) {
    while (members_.size() < size)
      let_one_join();
  }

  void round() {
    for (const auto& each : members_)
      publish(*each);
    for (const auto& each : members_)
      lend(*each);
    auto gone = let_one_go();
    pass_on_in_a_ring();
    for (const auto& each : members_)
      give_up_all(*each, *gone);
    for (const auto& each : members_)
      each->await_nothing_left();
    let_one_join();
  }

private:
  static constexpr std::size_t size = 4;

  static std::string name_of(const peer& publisher) {
    return "of_" + publisher.incarnation();
  }

  [[nodiscard]] peer& any() {
    return *members_[random_() % members_.size()];
  }

  [[nodiscard]] peer& any_but(const peer& one) {
    for (;;)
      if (auto& result = any(); &result != &one)
        return result;
  }

  void let_one_join() {
    auto fresh = std::make_unique<peer>(hasty);
    if (!members_.empty())
      fresh->join(any());
    for (const auto& each : members_) {
      each->await_member(*fresh);
      fresh->await_member(*each);
    }
    members_.push_back(std::move(fresh));
  }

  void publish(peer& publisher) {
    publisher.put(name_of(publisher), 1 + random_() % 20, random_() % 2 == 0 ? 100 : 300'000);
    publisher.do_so("publish " + name_of(publisher));
  }

  void lend(peer& lender) {
    any_but(lender).do_so("lookup " + name_of(lender) + " 60000");
    lender.send(name_of(lender), any_but(lender));
  }

  /// Returns it when all others have noticed.
  std::unique_ptr<peer> let_one_go() {
    auto position = members_.begin() + static_cast<std::ptrdiff_t>(random_() % members_.size());
    auto gone = std::move(*position);
    members_.erase(position);
    // Nothing here is waited for.
    for (const auto& each : members_)
      gone->say("send " + name_of(*gone) + " " + each->incarnation());
    if (random_() % 2 == 0)
      gone->say("unpublish " + name_of(*gone));
    // Any moment of all this will do.
    std::this_thread::sleep_for(std::chrono::microseconds{random_() % 20'000});
    if (random_() % 2 == 0)
      gone->signal(SIGKILL);
    else
      gone->end();
    for (const auto& each : members_)
      each->await_loss(*gone);
    return gone;
  }

  /// These letters come after whatever the one that is gone has sent.
  void pass_on_in_a_ring() {
    for (std::size_t index = 0; index < members_.size(); ++index) {
      auto& sender = *members_[index];
      auto& receiver = *members_[(index + 1) % members_.size()];
      auto count = sender.send(name_of(sender), receiver);
      CHECK(receiver.read(name_of(sender)).starts_with(count + " "));
    }
  }

  void give_up_all(peer& one, const peer& gone) {
    one.do_so("unpublish " + name_of(one));
    for (const auto& each : members_)
      one.finish(name_of(*each));
    one.finish(name_of(gone));
  }

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<peer>> members_;
};

} // namespace

TEST_CASE("four processes come, publish, lend, and leave or die, and nothing of it is left") {
  auto rounds = number_from("MOBULA_ROUNDS", 5);
  auto seed = std::random_device{}();
  CAPTURE(seed);
  changing_cluster cluster{seed};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    CAPTURE(round);
    cluster.round();
  }
}
