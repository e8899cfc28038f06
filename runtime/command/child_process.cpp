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

/// More in one line is written in pieces.
constexpr std::size_t longest_line_bytes = std::size_t{1} << 20;

[[noreturn]] void fail(int error, const std::string& text) {
  throw std::system_error(error, std::generic_category(), text);
}

struct pipe_ends {
  int read_end = -1;
  int write_end = -1;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    fail(errno, "cannot make a pipe");
  return {ends[0], ends[1]};
}

/// What the new process does before it becomes the program. Nothing here may allocate.
[[noreturn]] void become(char* const* words, pid_t parent, int output, int errors, int report) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // It may have died before it could be said what happens then.
  if (getppid() != parent)
    _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  auto input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0
      && dup2(errors, STDERR_FILENO) >= 0)
    execvp(words[0], words);
  auto error = errno;
  static_cast<void>(!write(report, &error, sizeof error));
  _exit(127);
}

void set_non_blocking(int pipe) {
  fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK);
}

} // namespace

// -- lines
// -----------------------------------------------------------------------------------------

prefixed_lines::prefixed_lines(int pipe, std::FILE* file, std::string prefix)
  : pipe_(pipe), file_(file), prefix_(std::move(prefix)) {
  set_non_blocking(pipe);
}

prefixed_lines::~prefixed_lines() {
  close_pipe();
}

void prefixed_lines::read() {
  std::array<char, 65536> buffer;
  while (pipe_ >= 0) {
    auto count = ::read(pipe_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      break;
    if (count <= 0) {
      finish();
      break;
    }
    rest_.append(buffer.data(), static_cast<std::size_t>(count));
    write_lines();
  }
}

void prefixed_lines::finish() {
  if (pipe_ < 0)
    return;
  auto pipe = std::exchange(pipe_, -1);
  // What came before the end is in the pipe.
  std::array<char, 65536> buffer;
  for (;;) {
    auto count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    rest_.append(buffer.data(), static_cast<std::size_t>(count));
    write_lines();
  }
  close(pipe);
  if (!rest_.empty())
    rest_ += '\n';
  write_lines();
}

void prefixed_lines::write_lines() {
  std::size_t begin = 0;
  for (;;) {
    auto end = rest_.find('\n', begin);
    if (end == std::string::npos && rest_.size() - begin < longest_line_bytes)
      break;
    end = end == std::string::npos ? rest_.size() : end;
    auto line = prefix_ + rest_.substr(begin, end - begin) + '\n';
    std::fwrite(line.data(), 1, line.size(), file_);
    begin = std::min(end + 1, rest_.size());
  }
  rest_.erase(0, begin);
  std::fflush(file_);
}

void prefixed_lines::close_pipe() {
  if (pipe_ >= 0)
    close(std::exchange(pipe_, -1));
}

// -- processes
// -------------------------------------------------------------------------------------

child_process::child_process(const std::vector<std::string>& words, const std::string& prefix) {
  std::vector<char*> arguments;
  for (const auto& word : words)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  auto output = make_pipe();
  output_.emplace(output.read_end, stdout, prefix);
  auto errors = make_pipe();
  errors_.emplace(errors.read_end, stderr, prefix);
  auto report = make_pipe();
  auto parent = getpid();
  id_ = fork();
  if (id_ == 0)
    become(arguments.data(), parent, output.write_end, errors.write_end, report.write_end);
  auto error = id_ < 0 ? errno : 0;
  for (auto end : {output.write_end, errors.write_end, report.write_end})
    close(end);
  // Ends when the process becomes the program, which closes the pipe, or tells why it cannot.
  if (id_ > 0)
    while (::read(report.read_end, &error, sizeof error) < 0 && errno == EINTR)
      ;
  close(report.read_end);
  if (error == 0)
    return;
  if (id_ > 0)
    waitpid(id_, nullptr, 0);
  id_ = -1;
  fail(error, fmt::format("cannot start {}", words.front()));
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
