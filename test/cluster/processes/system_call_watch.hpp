#pragma once

#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../sanitizers.hpp"

// The handler reads the registers of one kind of processor. Sanitizers make calls of their own.
#if defined(PR_SET_SYSCALL_USER_DISPATCH) && defined(__x86_64__) \
  && !defined(MOBULA_TEST_ADDRESS_SANITIZER) && !defined(MOBULA_TEST_THREAD_SANITIZER)
#define MOBULA_TEST_CAN_REFUSE_CALLS
#endif

namespace mobula::test {

/// Notices whether the thread that made it makes a system call.
///
/// The idea: the kernel can be told to refuse the system calls of a thread for as long as a byte in
/// its memory says so, and to send it SIGSYS instead (PR_SET_SYSCALL_USER_DISPATCH, since Linux
/// 5.11). The handler notes the first call, lifts the ban and makes the call after all, so that the
/// thread goes on. Unlike a tracer, this needs no other program and no rights; unlike a seccomp
/// filter, it ends when it is told to, and so does not see what a thread does before and after.
///
/// Invariant: the byte bans nothing outside of `first_call_of`, and never while the handler runs.
/// One at a time in a process.
class system_call_watch {
public:
  system_call_watch() {
#ifdef MOBULA_TEST_CAN_REFUSE_CALLS
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    usable_ = ::sigaction(SIGSYS, &action, &former_) == 0
              && ::prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &ban_) == 0;
#endif
  }

  system_call_watch(const system_call_watch&) = delete;
  system_call_watch& operator=(const system_call_watch&) = delete;

  ~system_call_watch() {
#ifdef MOBULA_TEST_CAN_REFUSE_CALLS
    if (usable_)
      ::prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
    ::sigaction(SIGSYS, &former_, nullptr);
#endif
  }

  /// Returns whether this kernel, on this processor, can do it.
  [[nodiscard]] bool usable() const noexcept {
    return usable_;
  }

  /// Calls `f` and returns the number of the first system call that it makes; nothing if it makes
  /// none. REQUIRES: usable; `f` does not throw.
  template <class F>
  [[nodiscard]] std::optional<long> first_call_of(F f) {
    first_ = none;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ban_ = banned;
    // The compiler must not move what is watched out from between the two.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    f();
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ban_ = allowed;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return first_ == none ? std::nullopt : std::optional<long>{first_};
  }

private:
  static constexpr char allowed = 0; ///< the kernel's SYSCALL_DISPATCH_FILTER_ALLOW
  static constexpr char banned = 1;  ///< and _BLOCK
  static constexpr long none = -1;

#ifdef MOBULA_TEST_CAN_REFUSE_CALLS
  static void handle(int, siginfo_t* info, void* context) {
    ban_ = allowed;
    first_ = info->si_syscall;
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    auto saved = errno;
    auto result =
      ::syscall(info->si_syscall, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                registers[REG_R10], registers[REG_R8], registers[REG_R9]);
    registers[REG_RAX] = result < 0 ? -errno : result;
    errno = saved;
  }
#endif

  inline static volatile char ban_ = allowed; ///< read by the kernel at each call
  inline static volatile long first_ = none;  ///< written by the handler
  struct sigaction former_ {};
  bool usable_ = false;
};

} // namespace mobula::test
