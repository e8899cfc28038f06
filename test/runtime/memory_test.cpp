// Nodes with default options where little memory is to be had: in memory cgroups, on small tmpfs,
// after others that were killed. Each is a process of its own, since it is processes that the
// kernel counts and kills.

#include "../sanitizers.hpp"
#include "../small_disk.hpp"

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory_group.hpp"

using namespace mobula::test;

namespace {

constexpr std::uint64_t granted_bytes = 200'000'000;
constexpr std::size_t block_bytes = 1'000'000;

/// A process with a node.
class store_process {
public:
  explicit store_process(std::vector<std::string> options, std::filesystem::path group = {})
    : group_(std::move(group)) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    REQUIRE(::pipe2(input.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(output.data(), O_CLOEXEC) == 0);
    options.insert(options.begin(), STORE_NODE);
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0)
      become_node(options, input[0], output[1]);
    ::close(input[0]);
    ::close(output[1]);
    commands_ = ::fdopen(input[1], "w");
    lines_ = ::fdopen(output[0], "r");
  }

  ~store_process() {
    if (process_ > 0)
      end();
    std::fclose(lines_);
  }

  store_process(const store_process&) = delete;
  store_process& operator=(const store_process&) = delete;

  /// Returns the number behind `word` on the next line; nothing if the process says otherwise, or
  /// has ended.
  std::optional<std::uint64_t> hear(const std::string& word) {
    std::array<char, 4096> line{};
    if (std::fgets(line.data(), line.size(), lines_) == nullptr)
      return std::nullopt;
    const std::string text{line.data()};
    if (!text.starts_with(word + ' ')) {
      MESSAGE("the node says: ", text);
      return std::nullopt;
    }
    return std::stoull(text.substr(word.size()));
  }

  void say(const std::string& command, std::size_t bytes) {
    std::fprintf(commands_, "%s %zu\n", command.c_str(), bytes);
    std::fflush(commands_);
  }

  /// Puts objects until the store is full. Returns the bytes that it holds then.
  std::optional<std::uint64_t> fill() {
    say("fill", block_bytes);
    return hear("full");
  }

  /// Returns what it has in memory, shared pages included.
  [[nodiscard]] std::uint64_t resident_bytes() const {
    std::ifstream figures{"/proc/" + std::to_string(process_) + "/smaps_rollup"};
    std::string word;
    std::uint64_t kibibytes = 0;
    while (figures >> word && word != "Rss:")
      continue;
    figures >> kibibytes;
    REQUIRE(figures);
    return kibibytes * 1024;
  }

  void kill() {
    ::kill(process_, SIGKILL);
    CHECK(WIFSIGNALED(end()));
  }

private:
  [[noreturn]] void become_node(std::vector<std::string>& words, int input, int output) const {
    if (!group_.empty())
      std::ofstream{group_ / "cgroup.procs"} << 0 << std::flush;
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    std::vector<char*> arguments;
    for (auto& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  int end() {
    std::fclose(commands_);
    int status = 0;
    CHECK(::waitpid(process_, &status, 0) == process_);
    process_ = -1;
    return status;
  }

  std::filesystem::path group_;
  pid_t process_ = -1;
  std::FILE* commands_ = nullptr;
  std::FILE* lines_ = nullptr;
};

const std::string never_waits = "--mobula.full-timeout=0s";

/// Starts a node with default options in the inner group, and fills its store.
void check_life_in(const memory_group& group) {
  store_process node{{never_waits}, group.inner()};
  auto size = node.hear("size");
  REQUIRE(size);
  CHECK(*size <= granted_bytes / 10 * 3);
  CHECK(*size > granted_bytes / 4);
  auto held = node.fill();
  REQUIRE_MESSAGE(held, "the node was killed");
  CHECK(*held >= *size / 4 * 3);
}

std::uint64_t default_size_on(const small_disk& disk) {
  store_process node{{"--mobula.arena-dir=" + disk.path().string()}};
  return node.hear("size").value_or(0);
}

/// Returns whether all memory of a process is the node's, and says so if not.
bool counts_only_our_memory() {
  constexpr auto sanitized = has_address_sanitizer || has_thread_sanitizer;
  if (sanitized)
    MESSAGE("skipped: sanitizers take memory of their own");
  return !sanitized;
}

/// Calls `f` with a memory cgroup of each version that can be made here.
template <class F>
void in_each_version(F f) {
  if (!counts_only_our_memory())
    return;
  for (auto version : {memory_group::version::one, memory_group::version::two})
    if (memory_group group{version}; group.usable())
      f(group, memory_group::limit_of(version));
}

} // namespace

TEST_CASE("a node in a memory cgroup fills its store and lives") {
  in_each_version([](const memory_group& group, const std::string& limit) {
    memory_group::write(group.inner() / limit, std::to_string(granted_bytes));
    check_life_in(group);
  });
}

TEST_CASE("a limit of the group above holds for the node") {
  in_each_version([](const memory_group& group, const std::string& limit) {
    memory_group::write(group.outer() / limit, std::to_string(granted_bytes));
    check_life_in(group);
  });
}

TEST_CASE("a node keeps below the mark at which its memory cgroup is slowed down") {
  in_each_version([](const memory_group& group, const std::string& limit) {
    if (limit != "memory.max")
      return; // Version 1 has no such mark.
    memory_group::write(group.outer() / "memory.high", std::to_string(granted_bytes));
    check_life_in(group);
  });
}

TEST_CASE("a node after one that was killed has as much space") {
  const small_disk disk{"size=64m"};
  if (!disk.mounted())
    return;
  auto before = default_size_on(disk);
  {
    store_process doomed{{"--mobula.arena-dir=" + disk.path().string(), never_waits}};
    REQUIRE(doomed.hear("size") == before);
    CHECK(doomed.fill() >= before / 2);
    doomed.kill();
  }
  CHECK(default_size_on(disk) == before);
}

TEST_CASE("a node with one small object has at most 40 MB in memory") {
  if (!counts_only_our_memory())
    return;
  store_process node{{}};
  REQUIRE(node.hear("size"));
  node.say("put", 100);
  REQUIRE(node.hear("held") == 1);
  CHECK(node.resident_bytes() <= 40'000'000);
}
