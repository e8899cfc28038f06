// Joins while members come and go, so that connections end just as others begin. `MOBULA_JOINS`
// says how many (10,000 take long); a join that gets no answer fails the test, and one
// that hangs its time limit.

#include <cstdint>
#include <deque>
#include <memory>
#include <random>

#include "peer_process.hpp"

using namespace mobula::test;

namespace {

/// Joins are asked of any member, and members end in any way.
class churning_cluster {
public:
  explicit churning_cluster(std::uint64_t seed) : random_(seed) {
    for (std::size_t count = 0; count < residents; ++count)
      members_.push_back(std::make_unique<peer>());
    for (std::size_t index = 1; index < members_.size(); ++index)
      members_[index]->join(*members_[0]);
  }

  /// One comes, and one that came before goes. Returns why the join failed, or nothing.
  std::string join_one() {
    auto fresh = std::make_unique<peer>();
    fresh->say("join 127.0.0.1:" + members_[random_() % residents]->port());
    // Its descriptors become free at the others while they accept this one.
    if (members_.size() > residents + guests)
      end_oldest();
    auto answer = fresh->await_any({"joined", "failed "});
    if (answer != "joined")
      return answer;
    for (std::size_t index = 0; index < residents; ++index)
      members_[index]->await_member(*fresh);
    members_.push_back(std::move(fresh));
    return {};
  }

private:
  static constexpr std::size_t residents = 2;
  static constexpr std::size_t guests = 2;

  void end_oldest() {
    auto position = members_.begin() + residents;
    if (random_() % 2 == 0)
      (*position)->end();
    else
      (*position)->signal(SIGKILL);
    members_.erase(position);
  }

  std::mt19937_64 random_;
  std::deque<std::unique_ptr<peer>> members_; ///< residents first
};

} // namespace

TEST_CASE("joins succeed while others come and go") {
  auto joins = number_from("MOBULA_JOINS", 50);
  churning_cluster cluster{1};
  for (std::uint64_t count = 0; count < joins; ++count) {
    CAPTURE(count);
    REQUIRE(cluster.join_one() == "");
  }
}
