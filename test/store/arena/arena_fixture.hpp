#pragma once

#include <csignal>
#include <utility>
#include <variant>

#include <sys/wait.h>
#include <unistd.h>

#include "mobula/store/arena/arena_segment.hpp"

#include "../../temporary_directory.hpp"

namespace mobula::test {

inline constexpr incarnation_id first_node{.high = 1, .low = 1};
inline constexpr incarnation_id second_node{.high = 1, .low = 2};

/// A directory in shared memory, and arenas in it.
struct arena_fixture {
  temporary_directory directory{"/dev/shm"};

  static arena_layout layout(const incarnation_id& incarnation = first_node,
                             const arena_shape& shape = {.size_bytes = 8U << 20, .shards = 2}) {
    auto result = plan_arena(shape, "test", incarnation);
    REQUIRE(result);
    return *result;
  }

  /// Where the arena of a layout is made.
  std::filesystem::path file_of(const arena_layout& layout) const {
    return directory.path() / arena_file_name(layout.cluster, layout.incarnation);
  }

  arena_segment create(const arena_layout& layout) const {
    auto result = arena_segment::create(file_of(layout), layout);
    REQUIRE(std::holds_alternative<arena_segment>(result));
    return std::get<arena_segment>(std::move(result));
  }

  static mapped_arena open(const std::filesystem::path& path) {
    auto result = mapped_arena::open(path);
    REQUIRE(std::holds_alternative<mapped_arena>(result));
    return std::get<mapped_arena>(std::move(result));
  }
};

/// A child that runs a function, to be killed or waited for.
class child_process {
public:
  template <class Function>
  explicit child_process(Function function) : id_(::fork()) {
    REQUIRE(id_ >= 0);
    if (id_ == 0)
      ::_exit(function());
  }

  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  ~child_process() {
    kill();
  }

  /// Returns the exit code, or -1 if a signal ended the child.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  int kill() {
    if (id_ <= 0)
      return 0;
    ::kill(id_, SIGKILL);
    return wait();
  }

private:
  pid_t id_;
};

} // namespace mobula::test
