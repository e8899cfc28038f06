#pragma once

#include <optional>

#include <sys/types.h>

#include "mobula/actors/time/time_span.hpp"

namespace mobula {

/// Something for a server to wait for: a demand to end, which is SIGINT (Ctrl-C) or SIGTERM.
///
///     int serve(mobula::node& node, const mobula::config&) {
///       mobula::stop_signal stop;
///       auto worker = node.system().spawn(…);
///       stop.wait();
///       caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
///       return 0;
///     }
///
/// While one exists, such a signal does not end the process: it is noted, and the program ends by
/// itself. Under `run_main` the node stays as it is until the program's function returns. A second
/// signal ends the process at once (one that comes within a quarter of a second is taken for the
/// first: some tools send each twice). When the last one is gone, signals end the process as
/// before.
///
/// Signals that the process ignores (SIGINT in the background of a shell script) or handles itself
/// are left alone. A forked child has none of its parent's: signals end it as usual.
///
/// All members are thread-safe. The ones that wait are for threads, and for actors that have a
/// thread of their own (`caf::detached`).
class stop_signal {
public:
  /// Throws `object_error` (`invalid_argument`) if the process has no file descriptors left.
  stop_signal();

  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;

  ~stop_signal();

  /// Blocks until a signal comes, or came while any of these existed. Returns its number. Throws
  /// `object_error` (`invalid_argument`) on a thread that actors share, and in a forked child, both
  /// of which would wait for ever.
  int wait() const;

  /// The same for no longer than `limit`; returns nothing if none came. Throws the same for a
  /// negative limit.
  [[nodiscard]] std::optional<int> wait_for(time_span limit) const;

  /// Returns the number of the signal that came, at once.
  [[nodiscard]] std::optional<int> received() const noexcept;

private:
  void require_waitable() const;

  pid_t home_;
};

} // namespace mobula
