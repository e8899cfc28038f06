// Starts a process and collects it. Between `fork` and `exec` stands `become`.

#include "child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mobula::command {

namespace {

[[noreturn]] void fail(int error, const std::string& text) {
  throw std::system_error(error, std::generic_category(), text);
}

struct pipe_ends {
  owned_descriptor read_end;
  owned_descriptor write_end;

  pipe_ends() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
      fail(errno, "cannot make a pipe");
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
};

/// Words as `exec` takes them.
std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words)
    result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

/// What a new process needs.
struct new_life {
  char* const* words;
  char* const* environment;
  pid_t parent;
  int output;
  int errors;
  int report; ///< where the number of an error goes
};

/// What the new process does before it becomes the program. Nothing here may allocate.
[[noreturn]] void become(const new_life& life) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // It may have died before it could be said what happens then.
  if (getppid() != life.parent)
    _exit(127);
  // The program has to hear when it is asked to end, whatever this process was started with.
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  auto input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(life.output, STDOUT_FILENO) >= 0
      && dup2(life.errors, STDERR_FILENO) >= 0)
    execvpe(life.words[0], life.words, life.environment);
  auto error = errno;
  static_cast<void>(!write(life.report, &error, sizeof error));
  _exit(127);
}

/// Returns the variables of this process, and others.
std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
  auto result = variables;
  auto is_replaced = [&](std::string_view each) {
    auto name = each.substr(0, each.find('=') + 1);
    for (const auto& other : variables)
      if (other.starts_with(name))
        return true;
    return false;
  };
  for (auto** each = environ; *each != nullptr; ++each)
    if (!is_replaced(*each))
      result.emplace_back(*each);
  return result;
}

} // namespace

child_process::child_process(const child_setup& setup, line_sink& output, line_sink& errors) {
  auto words = pointers_to(setup.words);
  auto variables = environment_with(setup.variables);
  auto environment = pointers_to(variables);
  pipe_ends lines;
  pipe_ends error_lines;
  pipe_ends report;
  new_life life{.words = words.data(),
                .environment = environment.data(),
                .parent = getpid(),
                .output = lines.write_end.get(),
                .errors = error_lines.write_end.get(),
                .report = report.write_end.get()};
  id_ = fork();
  if (id_ == 0)
    become(life);
  auto error = id_ < 0 ? errno : 0;
  for (auto* pipe : {&lines, &error_lines, &report})
    pipe->write_end.reset();
  // Ends when the process becomes the program, which closes the pipe, or tells why it cannot.
  if (id_ > 0)
    while (::read(report.read_end.get(), &error, sizeof error) < 0 && errno == EINTR)
      ;
  if (error != 0) {
    if (id_ > 0)
      waitpid(std::exchange(id_, -1), nullptr, 0);
    fail(error, fmt::format("cannot start {}", setup.words.front()));
  }
  output_.emplace(lines.read_end.release(), output, setup.prefix);
  errors_.emplace(error_lines.read_end.release(), errors, setup.prefix);
}

child_process::~child_process() {
  if (id_ > 0) {
    signal(SIGKILL);
    waitpid(id_, nullptr, 0);
  }
}

std::chrono::milliseconds child_process::lived() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                               - started_);
}

void child_process::signal(int number) const {
  if (id_ > 0)
    kill(-id_, number);
}

std::optional<process_end> child_process::take_end() {
  siginfo_t info{};
  if (id_ <= 0 || waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) != 0
      || info.si_pid == 0)
    return std::nullopt;
  // While the process is not collected, its number, and so its group's, belongs to nobody else.
  signal(SIGKILL);
  int status = 0;
  waitpid(std::exchange(id_, -1), &status, 0);
  output_->finish();
  errors_->finish();
  if (WIFSIGNALED(status))
    return process_end{.code = 0, .signal = WTERMSIG(status)};
  return process_end{.code = WEXITSTATUS(status), .signal = 0};
}

} // namespace mobula::command
