#pragma once

#include <atomic>
#include <cstdint>

namespace mobula {

/// Remembers the process that it was made in.
///
/// A child that is forked without exec has a copy of all memory, but none of the threads, and
/// mutexes as they were at that moment; shared memory, open files and their locks it shares with
/// its parent. So what belongs to the parent's nodes must neither be changed nor waited for nor
/// cleaned up in the child: whoever would do so asks `is_this` before.
///
/// The idea: a process is told apart from its ancestors by the number of forks between them, which
/// a handler counts in each child. To ask costs no system call, only two loads. Children that are
/// made behind the C library's back, by a bare clone system call or by `_Fork`, are not counted.
class home_process {
public:
  home_process() noexcept : forks_(count.load(std::memory_order_relaxed)) {
    // nop
  }

  /// Returns whether the calling process is the one that made this. Relaxed: the count changes
  /// only in a child, which has one thread then.
  [[nodiscard]] bool is_this() const noexcept {
    return forks_ == count.load(std::memory_order_relaxed);
  }

private:
  static void forked() noexcept {
    count.fetch_add(1, std::memory_order_relaxed);
  }

  static std::atomic<std::uint32_t> count; ///< forks between the first process and this one
  static const int handler;                ///< says whether the C library calls `forked`

  std::uint32_t forks_;
};

} // namespace mobula
