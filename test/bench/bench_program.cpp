// Starts builds of mobula-bench and reads what they report.

#include "bench_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mobula::bench {

namespace {

/// A process that has ended.
struct ended_process {
  int exit_code = 0; ///< that of a shell for one that a signal ended
  std::string output;
};

std::string read_all(int descriptor) {
  std::string result;
  std::array<char, 4096> part{};
  for (;;) {
    const auto size = ::read(descriptor, part.data(), part.size());
    if (size > 0)
      result.append(part.data(), static_cast<std::size_t>(size));
    else if (size == 0 || errno != EINTR)
      return result;
  }
}

int exit_code_of(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    // nop
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Throws `std::invalid_argument` if the program cannot be started.
ended_process run_to_end(const std::string& program, std::vector<std::string> words) {
  words.insert(words.begin(), program);
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> output{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0)
    throw std::system_error{errno, std::generic_category(), "no pipe for another process"};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output[1], STDERR_FILENO);
  pid_t process = -1;
  const auto error =
    ::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(output[1]);
  ended_process result;
  if (error == 0)
    result.output = read_all(output[0]);
  ::close(output[0]);
  if (error != 0)
    throw std::invalid_argument{
      fmt::format("cannot start '{}': {}; name the file of a mobula-bench", program,
                  std::generic_category().message(error))};
  result.exit_code = exit_code_of(process);
  return result;
}

/// A file that a program reports to, gone with this object.
class report_file {
public:
  report_file() : path_(std::filesystem::temp_directory_path() / "mobula-bench-XXXXXX") {
    const auto descriptor = ::mkstemp(path_.data());
    if (descriptor < 0)
      throw std::system_error{errno, std::generic_category(), "no file for a report"};
    ::close(descriptor);
  }

  report_file(const report_file&) = delete;
  report_file& operator=(const report_file&) = delete;

  ~report_file() {
    ::unlink(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

private:
  std::string path_;
};

/// Returns an expression that matches this name only.
std::string exactly(std::string_view name) {
  std::string result = "^";
  for (auto letter : name) {
    if (std::string_view{R"(.^$|()[]{}*+?\)"}.find(letter) != std::string_view::npos)
      result += '\\';
    result += letter;
  }
  return result + '$';
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    result.push_back(line);
  return result;
}

std::string reason_for_skipping(const std::string& output, const std::string& name) {
  const auto start = name + " skipped: ";
  for (const auto& line : lines_of(output))
    if (line.starts_with(start))
      return line.substr(start.size());
  return "it reports nothing";
}

std::string last_line(const std::string& output) {
  const auto lines = lines_of(output);
  return lines.empty() ? "it says nothing" : lines.back();
}

} // namespace

std::string bench_program::own_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

std::vector<std::string> bench_program::list(bool large) const {
  std::vector<std::string> words{"--list"};
  if (large)
    words.emplace_back("--large");
  const auto done = run_to_end(path_, words);
  auto names = lines_of(done.output);
  // Every revision has this case.
  if (done.exit_code != EXIT_SUCCESS || std::ranges::count(names, "get_ready") == 0)
    throw std::invalid_argument{
      fmt::format("'{}' is no mobula-bench: asked with --list it ends with code {} and names no "
                  "case get_ready",
                  path_, done.exit_code)};
  return names;
}

std::variant<program_value, program_skipped>
bench_program::measure(const std::string& name, const program_plan& plan) const {
  const report_file report;
  std::vector<std::string> words{"--filter",    exactly(name),  "--rounds",
                                 "1",           "--seconds",    fmt::to_string(plan.seconds),
                                 "--directory", plan.directory, "--report",
                                 report.path()};
  if (plan.large)
    words.emplace_back("--large");
  const auto done = run_to_end(path_, words);
  if (done.exit_code != EXIT_SUCCESS)
    throw std::runtime_error{fmt::format("'{}' ends with code {} in case {}: {}", path_,
                                         done.exit_code, name, last_line(done.output))};
  try {
    std::ifstream stream{report.path()};
    const auto rows = nlohmann::json::parse(stream);
    if (rows.empty())
      return program_skipped{reason_for_skipping(done.output, name)};
    return program_value{rows.at(0).at("value").get<double>(),
                         rows.at(0).at("unit").get<std::string>()};
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error{fmt::format("'{}' reports case {} in a way that cannot be read: {}",
                                         path_, name, error.what())};
  }
}

} // namespace mobula::bench
