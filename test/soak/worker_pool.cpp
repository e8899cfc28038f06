// Runs schedules in processes of their own, which may die of a failure: the parent knows which seed
// each of them ran.

#include "worker_pool.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <new>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mobula::soak {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds between_reports{10};

/// What a worker does right now. Written by the worker, read by the parent; whatever the worker
/// dies of, the seed that it ran stands here.
struct desk {
  std::atomic<std::uint64_t> kind{0};
  std::atomic<std::uint64_t> seed{0};
  std::atomic<std::int64_t> began_ms{idle}; ///< written last, so that it speaks of this seed

  static constexpr std::int64_t idle = -1;
};

/// In memory that all processes share. Each number is read for itself, in no order with others.
struct common {
  std::atomic<std::uint64_t> next_job{0};
  std::atomic<std::uint64_t> failures{0};
  std::array<std::atomic<std::uint64_t>, max_kinds> runs{};
  std::array<desk, max_workers> desks{};
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

class shared_common {
public:
  shared_common() {
    auto* memory =
      ::mmap(nullptr, sizeof(common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw std::bad_alloc{};
    content_ = new (memory) common;
  }

  shared_common(const shared_common&) = delete;
  shared_common& operator=(const shared_common&) = delete;

  ~shared_common() {
    ::munmap(content_, sizeof(common));
  }

  common& operator*() const noexcept {
    return *content_;
  }

private:
  common* content_;
};

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           steady_clock::now().time_since_epoch())
    .count();
}

/// In one piece, so that lines of several processes do not mix.
void print(const std::string& text) {
  static_cast<void>(!::write(STDOUT_FILENO, text.data(), text.size()));
}

/// Both the worker, for promises, and the parent, for workers that died, have failures to tell.
void report(common& shared, const schedule_kind& kind, std::uint64_t seed, const std::string& why) {
  ++shared.failures;
  print(fmt::format("FAILED {} seed {}: {}\n  alone: mobula-soak --only {} --seed {}\n", kind.name,
                    seed, why, kind.name, seed));
}

// -- workers ----------------------------------------------------------------------------

class worker {
public:
  worker(const soak_plan& plan, common& shared, desk& place, steady_clock::time_point deadline)
    : plan_(plan), shared_(shared), desk_(place), deadline_(deadline) {
    // nop
  }

  /// Takes jobs until there is none: a job is one kind's part of a round.
  void run() {
    while (goes_on()) {
      auto job = shared_.next_job++;
      auto round = job / plan_.kinds.size();
      if (plan_.rounds && round >= *plan_.rounds)
        return;
      auto kind = job % plan_.kinds.size();
      auto seeds = plan_.kinds[kind].seeds_a_round;
      auto first = plan_.first_seed + round * seeds;
      for (auto seed = first; seed < first + seeds && goes_on(); ++seed)
        run_seed(kind, seed);
    }
  }

private:
  [[nodiscard]] bool goes_on() const {
    return steady_clock::now() < deadline_ && shared_.failures < max_failures;
  }

  void run_seed(std::size_t index, std::uint64_t seed) {
    const auto& kind = plan_.kinds[index];
    desk_.kind = index;
    desk_.seed = seed;
    desk_.began_ms = now_ms();
    if (auto why = kind.run(seed); !why.empty())
      report(shared_, kind, seed, why);
    desk_.began_ms = desk::idle;
    ++shared_.runs[index];
  }

  const soak_plan& plan_;
  common& shared_;
  desk& desk_;
  steady_clock::time_point deadline_;
};

// -- their parent -----------------------------------------------------------------------

/// Lets children's ends be waited for with a time limit.
class blocked_child_signal {
public:
  blocked_child_signal() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &set_, nullptr);
  }

  blocked_child_signal(const blocked_child_signal&) = delete;
  blocked_child_signal& operator=(const blocked_child_signal&) = delete;

  ~blocked_child_signal() {
    allow();
  }

  void allow() const {
    ::sigprocmask(SIG_UNBLOCK, &set_, nullptr);
  }

  void await(std::chrono::seconds limit) const {
    timespec time{.tv_sec = limit.count(), .tv_nsec = 0};
    ::sigtimedwait(&set_, nullptr, &time);
  }

private:
  sigset_t set_{};
};

class pool {
public:
  explicit pool(const soak_plan& plan)
    : plan_(plan), began_(steady_clock::now()),
      deadline_(plan.time ? began_ + *plan.time : steady_clock::time_point::max()) {
    // nop
  }

  std::uint64_t run() {
    for (std::size_t place = 0; place < plan_.workers; ++place)
      start(place);
    auto next_report = began_ + between_reports;
    while (std::ranges::any_of(processes_, [](pid_t id) { return id != none; })) {
      child_signal_.await(std::chrono::seconds{1});
      collect();
      end_endless_runs();
      if (steady_clock::now() >= next_report) {
        print(progress() + "\n");
        next_report += between_reports;
      }
    }
    summarize();
    return (*shared_).failures;
  }

private:
  static constexpr pid_t none = -1;

  void start(std::size_t place) {
    auto& at = (*shared_).desks[place];
    at.began_ms = desk::idle;
    auto child = ::fork();
    if (child < 0)
      throw std::runtime_error{"cannot start a worker process"};
    if (child > 0) {
      processes_[place] = child;
      return;
    }
    // It must not outlive who watches it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    child_signal_.allow();
    worker{plan_, *shared_, at, deadline_}.run();
    // What the parent made is not for this process to end.
    ::_exit(EXIT_SUCCESS);
  }

  void collect() {
    int status = 0;
    for (auto child = ::waitpid(-1, &status, WNOHANG); child > 0;
         child = ::waitpid(-1, &status, WNOHANG)) {
      auto found = std::ranges::find(processes_, child);
      if (found == processes_.end())
        continue;
      *found = none;
      if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
        continue;
      auto place = static_cast<std::size_t>(found - processes_.begin());
      lost(place, status);
      if ((*shared_).failures < max_failures)
        start(place);
    }
  }

  void lost(std::size_t place, int status) {
    const auto& at = (*shared_).desks[place];
    auto end = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                   : fmt::format("exit code {}", WEXITSTATUS(status));
    auto why = at.began_ms != desk::idle && took_too_long(at)
                 ? fmt::format("did not end in {} minutes", longest_run.count())
                 : "its process ended with " + end;
    report(*shared_, plan_.kinds[at.kind], at.seed, why);
  }

  [[nodiscard]] static bool took_too_long(const desk& at) {
    return at.began_ms != desk::idle
           && std::chrono::milliseconds{now_ms() - at.began_ms} > longest_run;
  }

  void end_endless_runs() {
    for (std::size_t place = 0; place < plan_.workers; ++place)
      if (processes_[place] != none && took_too_long((*shared_).desks[place]))
        ::kill(processes_[place], SIGKILL);
  }

  [[nodiscard]] std::string progress() {
    std::chrono::duration<double> time = steady_clock::now() - began_;
    std::uint64_t runs = 0;
    for (const auto& of_kind : (*shared_).runs)
      runs += of_kind;
    return fmt::format("{:.0f} s: {} runs, {:.1f} a second, {} failed", time.count(), runs,
                       static_cast<double>(runs) / time.count(), (*shared_).failures.load());
  }

  void summarize() {
    for (std::size_t kind = 0; kind < plan_.kinds.size(); ++kind)
      print(fmt::format("{:<30} {} runs\n", plan_.kinds[kind].name, (*shared_).runs[kind].load()));
    print(progress() + "\n");
  }

  const soak_plan& plan_;
  shared_common shared_;
  blocked_child_signal child_signal_;
  steady_clock::time_point began_;
  steady_clock::time_point deadline_;
  std::vector<pid_t> processes_ = std::vector<pid_t>(plan_.workers, none);
};

} // namespace

std::uint64_t soak(const soak_plan& plan) {
  return pool{plan}.run();
}

} // namespace mobula::soak
