#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../../runtime/member_process.hpp"
#include "../../temporary_directory.hpp"

namespace mobula::test {

/// Values are asked for, and times short enough for a test. What is under way when a process is
/// killed has to arrive within the grace period, however loaded the machine is.
inline const std::vector<std::string> short_times{
  "--mobula.transit-lease=200ms", "--mobula.grace-period=3s", "--mobula.heartbeat-interval=100ms",
  "--mobula.heartbeat-timeout=2s", "--mobula.piggyback=0"};

inline std::vector<std::string> with(const std::vector<std::string>& options) {
  auto result = short_times;
  result.insert(result.end(), options.begin(), options.end());
  return result;
}

/// For processes that die: nobody waits longer than necessary for what they may have said.
inline const std::vector<std::string> hasty{"--mobula.grace-period=2100ms"};

/// Returns a number from the environment, where it has one.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const auto* asked = std::getenv(variable);
  auto result = asked != nullptr ? std::strtoull(asked, nullptr, 10) : otherwise;
  REQUIRE(result > 0);
  return result;
}

class peer : public member_process {
public:
  /// With the options given and short times.
  explicit peer(const std::vector<std::string>& options = {},
                std::vector<std::string> launcher = {}, const std::string& address = "127.0.0.1")
    : member_process(with(options), std::move(launcher)) {
    listen_at(address, "0");
  }

  void do_so(const std::string& command) {
    say(command);
    await("done");
  }

  void put(const std::string& name, std::size_t count, std::size_t size) {
    do_so("put " + name + " " + std::to_string(count) + " " + std::to_string(size));
  }

  /// Returns once the references are there, with their number.
  std::string send(const std::string& name, peer& receiver) {
    do_so("send " + name + " " + receiver.incarnation());
    return receiver.await("got " + name + " ");
  }

  void drop(const std::string& name) {
    do_so("drop " + name);
  }

  /// Has it drop what there is of this, when all of it is read or an error.
  void finish(const std::string& name) {
    say("finish " + name);
    await("finished " + name);
  }

  /// Returns their number and their size in all.
  std::string read(const std::string& name) {
    say("get " + name);
    return await("read " + name + " ");
  }

  /// Reads what must be an error, and returns it.
  std::string fail_to_read(const std::string& name) {
    say("get " + name);
    return await("error " + name + " ");
  }

  /// Keeps views, and returns their number and size in all.
  std::string view(const std::string& name) {
    say("view " + name);
    return await("viewing " + name + " ");
  }

  /// Looks at each byte of what is viewed.
  void check(const std::string& name) {
    say("check " + name);
    await("intact " + name);
  }

  /// Returns the bytes that objects take of the process's own arena.
  std::string used() {
    say("used -");
    return await("used ");
  }

  /// Returns when so many values have been pulled here since the process began.
  void await_pulled(std::size_t count) {
    say("pulled " + std::to_string(count));
    await("pulled");
  }

  /// Returns one of the node's figures.
  std::uint64_t figure(const std::string& name) {
    say("figure " + name);
    return std::stoull(await("figure " + name + " "));
  }

  /// Returns the first system call that reading again what was read makes: its number, "none", or
  /// "unknown" on a system that does not tell.
  std::string first_call_of_reads(const std::string& name) {
    say("calls " + name);
    return await("calls " + name + " ");
  }

  /// Returns the port from which others pull.
  std::uint16_t data_port() {
    say("data-port -");
    return static_cast<std::uint16_t>(std::stoi(await("data-port ")));
  }

  /// Returns when nothing is left, neither own objects nor borrowed ones.
  void await_nothing_left() {
    say("empty -");
    await("nothing left");
  }
};

/// Has warnings written to a file, as they are.
inline std::vector<std::string> logging_to(const std::string& file) {
  return {"--logger.file-name=" + file, "--logger.file-format=%m%n", "--logger.verbosity=warning"};
}

struct log_directory {
  temporary_directory directory;
  std::string log = directory.path() / "log";
};

/// A peer whose warnings are kept, and read when it has ended.
class logging_peer : log_directory, public peer {
public:
  logging_peer() : peer(logging_to(log)) {
    // nop
  }

  /// Ends it, and returns the lines of its log.
  std::vector<std::string> end_with_log() {
    end();
    std::ifstream file{log};
    std::vector<std::string> result;
    for (std::string line; std::getline(file, line);)
      result.push_back(line);
    return result;
  }

  /// Ends it, and returns how many lines of its log hold this.
  std::size_t lines_with(const std::string& part) {
    return static_cast<std::size_t>(std::ranges::count_if(
      end_with_log(), [&](const auto& line) { return line.find(part) != std::string::npos; }));
  }
};

/// Three processes that are all connected.
struct three_peers {
  three_peers() {
    away.join(home);
    third.join(home);
    for (auto* each : {&home, &away, &third})
      for (auto* other : {&home, &away, &third})
        if (each != other)
          each->await_member(*other);
  }

  peer home;
  peer away;
  peer third;
};

} // namespace mobula::test
