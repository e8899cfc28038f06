// Nodes are killed in the middle of their work, again and again, in a directory that they share
// with one that lives on. The next start sweeps what they left, and nothing else.

#include "../temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_work.hpp"

using namespace mobula;

namespace {

constexpr std::uint64_t rounds = 100;

/// A process that runs the victim, killed at the end of its scope.
class victim {
public:
  victim(const std::string& directory, std::uint64_t seed) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    progress_ = pipe[0];
    auto seed_text = std::to_string(seed);
    std::string program = CRASH_VICTIM;
    auto directory_text = directory;
    std::array<char*, 4> arguments{program.data(), directory_text.data(), seed_text.data(),
                                   nullptr};
    posix_spawn_file_actions_t actions;
    REQUIRE(::posix_spawn_file_actions_init(&actions) == 0);
    REQUIRE(::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO) == 0);
    auto error =
      ::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    REQUIRE(error == 0);
  }

  victim(const victim&) = delete;
  victim& operator=(const victim&) = delete;

  /// Waits for so many steps of its work. Returns whether all that it read was right.
  [[nodiscard]] bool await_steps(std::uint64_t count) const {
    for (std::uint64_t step = 0; step < count; ++step) {
      char byte = 0;
      if (::read(progress_, &byte, 1) != 1 || byte != '.')
        return false;
    }
    return true;
  }

  ~victim() {
    ::kill(process_, SIGKILL);
    int status = 0;
    CHECK(::waitpid(process_, &status, 0) == process_);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    ::close(progress_);
  }

private:
  pid_t process_ = -1;
  int progress_ = -1;
};

/// A directory that several nodes spill to.
class shared_directory : public test::temporary_directory {
public:
  /// Counts the files that belong to none of the nodes.
  [[nodiscard]] std::size_t strange_files(const std::vector<const node*>& nodes) const {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator{path()})
      count += std::ranges::none_of(nodes, [&](const node* owner) {
        auto name = file.path().filename().string();
        return name.find(to_string(owner->incarnation())) != std::string::npos;
      });
    return count;
  }
};

} // namespace

TEST_CASE("the next start after a kill sweeps all that is dead, none that lives, and works") {
  std::mt19937_64 random{1};
  shared_directory directory;
  config settings;
  caf::actor_system system{settings};
  crash_work neighbour{system, directory.path().string(), 1};
  for (int step = 0; step < 60; ++step)
    REQUIRE(neighbour.step());
  REQUIRE(neighbour.node().stats().spill_files > 0);
  std::uint64_t rounds_with_files = 0;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    CAPTURE(round);
    {
      victim doomed{directory.path().string(), round};
      CHECK(doomed.await_steps(random() % 80));
    }
    rounds_with_files += directory.strange_files({&neighbour.node()}) > 1 ? 1 : 0;
    crash_work successor{system, directory.path().string(), round};
    CHECK(directory.strange_files({&neighbour.node(), &successor.node()}) == 0);
    for (int step = 0; step < 40; ++step)
      CHECK(successor.step());
    CHECK(successor.node().stats().restored.objects > 0);
    CHECK(neighbour.step());
    successor.node().shutdown();
    CHECK(directory.strange_files({&neighbour.node()}) == 0);
  }
  CHECK(neighbour.all_whole());
  neighbour.node().shutdown();
  CHECK(std::filesystem::is_empty(directory.path()));
  // Kills that find nothing on disk prove little.
  CHECK(rounds_with_files > rounds / 2);
  MESSAGE("rounds that left spill files: ", rounds_with_files);
}
