#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mobula::test {

/// A process that runs the program MEMBER_NODE; killed at the end of its scope. Nothing here waits
/// for time: each wait ends with a line, or when the process does.
///
/// A launcher is a command that becomes the program, in other surroundings, such as `ip netns
/// exec`.
class member_process {
public:
  explicit member_process(std::vector<std::string> options = {},
                          std::vector<std::string> launcher = {}) {
    ::signal(SIGPIPE, SIG_IGN);
    // A node that lost another would also join a stranger's that got the same port.
    options.insert(options.begin(), "--mobula.cluster=test_" + std::to_string(::getpid()));
    options.insert(options.begin(), "--mobula.store-size=16MiB");
    options.insert(options.begin(), MEMBER_NODE);
    options.insert(options.begin(), launcher.begin(), launcher.end());
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    REQUIRE(::pipe2(input.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(output.data(), O_CLOEXEC) == 0);
    start(options, input[0], output[1]);
    ::close(input[0]);
    ::close(output[1]);
    commands_ = ::fdopen(input[1], "w");
    lines_ = ::fdopen(output[0], "r");
    incarnation_ = await("node ");
  }

  member_process(const member_process&) = delete;
  member_process& operator=(const member_process&) = delete;

  ~member_process() {
    signal(SIGKILL);
    if (process_ != -1)
      ::waitpid(process_, nullptr, 0);
    std::fclose(commands_);
    std::fclose(lines_);
  }

  /// What is said to one that has ended is lost; who waits for its answer is told.
  void say(const std::string& command) {
    std::fprintf(commands_, "%s\n", command.c_str());
    std::fflush(commands_);
  }

  /// Waits for a line that begins so, and returns its rest. Lines before it can still be awaited.
  std::string await(std::string_view begin) {
    return await_any({begin}).substr(begin.size());
  }

  /// Waits for a line that begins in one of these ways, and returns all of it.
  std::string await_any(std::initializer_list<std::string_view> begins) {
    auto matches = [&](const std::string& line) {
      return std::any_of(begins.begin(), begins.end(),
                         [&](std::string_view begin) { return line.starts_with(begin); });
    };
    for (;;) {
      auto found = std::find_if(heard_.begin(), heard_.end(), matches);
      if (found != heard_.end()) {
        auto line = *found;
        heard_.erase(found);
        return line;
      }
      REQUIRE_MESSAGE(hear(), "the process ended before it said ", *begins.begin());
      REQUIRE_MESSAGE((matches(heard_.back()) || !heard_.back().starts_with("failed ")),
                      heard_.back());
    }
  }

  /// Listens on loopback. Returns the port.
  std::string listen(const std::string& port = "0") {
    return listen_at("127.0.0.1", port);
  }

  /// Returns the port.
  std::string listen_at(const std::string& address, const std::string& port) {
    address_ = address;
    say("listen " + at(port));
    port_ = await("listening ");
    return port_;
  }

  /// Does what its options say. Returns the port that it listens at.
  std::string follow_options() {
    say("options -");
    port_ = await("followed ");
    return port_;
  }

  void join(const member_process& other) {
    say("join " + other.at(other.port_));
    await("joined");
  }

  /// Tries what cannot work, and returns the error and its text.
  std::string fail(const std::string& command) {
    say(command);
    return await("failed ");
  }

  void await_member(const member_process& other) {
    await("+" + other.incarnation_);
  }

  /// Returns why.
  std::string await_loss(const member_process& other) {
    return await("-" + other.incarnation_ + " ");
  }

  /// Has it leave, and returns when it has ended well, which it may have before.
  void end() {
    if (std::exchange(told_to_leave_, true))
      return;
    say("leave -");
    while (hear())
      continue;
    int status = 0;
    REQUIRE(::waitpid(process_, &status, 0) == process_);
    process_ = -1;
    CHECK(status == 0);
  }

  /// Nothing happens to one that has ended. One that is stopped has stopped when this returns.
  void signal(int number) const {
    if (process_ == -1)
      return;
    ::kill(process_, number);
    int status = 0;
    if (number == SIGSTOP && ::waitpid(process_, &status, WUNTRACED) == process_)
      REQUIRE(WIFSTOPPED(status));
  }

  [[nodiscard]] const std::string& incarnation() const noexcept {
    return incarnation_;
  }

  /// The process that was started: the program, or its launcher if that stays.
  [[nodiscard]] pid_t process() const noexcept {
    return process_;
  }

  [[nodiscard]] const std::string& port() const noexcept {
    return port_;
  }

private:
  /// Returns the address that it was told to listen at, with a port.
  [[nodiscard]] std::string at(const std::string& port) const {
    auto is_v6 = address_.find(':') != std::string::npos;
    return (is_v6 ? "[" + address_ + "]:" : address_ + ":") + port;
  }

  void start(std::vector<std::string>& words, int input, int output) {
    std::vector<char*> arguments;
    for (auto& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    REQUIRE(::posix_spawn_file_actions_init(&actions) == 0);
    REQUIRE(::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) == 0);
    REQUIRE(::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0);
    // A process starts with what its parent ignores; a node is to see to broken pipes by itself.
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_t attributes;
    REQUIRE(::posix_spawnattr_init(&attributes) == 0);
    REQUIRE(::posix_spawnattr_setsigdefault(&attributes, &defaults) == 0);
    REQUIRE(::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) == 0);
    auto error =
      ::posix_spawnp(&process_, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    REQUIRE(error == 0);
  }

  bool hear() {
    char* text = nullptr;
    std::size_t size = 0;
    auto length = ::getline(&text, &size, lines_);
    if (length > 0)
      heard_.emplace_back(text, static_cast<std::size_t>(length) - 1);
    std::free(text);
    return length > 0;
  }

  pid_t process_ = -1;
  std::FILE* commands_ = nullptr;
  std::FILE* lines_ = nullptr;
  std::string incarnation_;
  std::string address_ = "127.0.0.1";
  std::string port_;
  std::vector<std::string> heard_;
  bool told_to_leave_ = false;
};

} // namespace mobula::test
