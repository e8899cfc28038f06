#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "mobula/actors/caf/first_header.hpp"

namespace mobula {

/// Names a connection that somebody opened and that CAF does not have yet. Never used twice.
enum class stranger_id : std::uint64_t {};

struct stranger_limits {
  /// Connections whose handshake is not complete. One more, and the oldest of them goes.
  std::size_t max_strangers = 128;
  /// Connections that were handed over and are open. One more is closed at once. More than twice
  /// the members that a node may have, and tools that look at it.
  std::size_t max_connections = 1280;
  /// How long a handshake may take. A node sends it as it connects.
  std::chrono::nanoseconds patience = std::chrono::seconds{5};
  /// How long not to accept when the system has no descriptors to spare.
  std::chrono::nanoseconds pause = std::chrono::milliseconds{100};
};

/// To be looked at again when so many bytes can be read, or when the stream ends.
struct await_bytes {
  stranger_id stranger;
  std::size_t count;
};

/// The handshake is there: CAF may read it.
struct hand_over {
  stranger_id stranger;
};

struct close_stranger {
  stranger_id stranger;
  std::string why; ///< goes on after "a connection that"
};

using stranger_effect = std::variant<await_bytes, hand_over, close_stranger>;

using stranger_effects = std::vector<stranger_effect>;

/// Decides which connections to a node's control port CAF gets to see. No CAF, no clock, no I/O.
///
/// *The idea.* CAF 0.17 trusts whoever connects: it keeps any number of silent connections, and
/// makes room for any length that stands in a header. So a connection is a *stranger*, and its
/// bytes stay in the socket, until a whole handshake of bounded length can be read there.
///
/// *Who goes when there are too many.* The stranger that came first. A node sends its handshake
/// as it connects, and is no stranger any more after one round trip; who floods the port with
/// silent connections pushes out his own.
///
/// *Invariants.* At most `max_strangers`; each ends in `hand_over` or `close_stranger`, within
/// `patience` of its arrival.
///
/// Events append to the caller's buffer. Times are those of one clock that never goes back.
class stranger_table {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit stranger_table(const stranger_limits& limits) : limits_(limits) {
    // nop
  }

  /// Somebody connected, while `connections` that were handed over are open.
  stranger_id arrived(time_point now, std::size_t connections, stranger_effects& effects);

  /// What can be read: `bytes` are the first of `available`; enough of them for a header, if there
  /// are so many. Ignored for a stranger that is none any more.
  void readable(stranger_id stranger, std::span<const std::byte> bytes, std::size_t available,
                stranger_effects& effects);

  /// Nothing more comes.
  void ended(stranger_id stranger, stranger_effects& effects);

  void time_passed(time_point now, stranger_effects& effects);

  /// The system refused to accept.
  void descriptors_ran_out(time_point now);

  [[nodiscard]] bool may_accept(time_point now) const noexcept {
    return now >= paused_until_;
  }

  /// Returns when `time_passed` has something to do, or accepting goes on.
  [[nodiscard]] std::optional<time_point> next_deadline(time_point now) const;

  [[nodiscard]] std::size_t strangers() const noexcept {
    return strangers_.size();
  }

private:
  using strangers_map = std::map<stranger_id, time_point>; ///< ordered by arrival

  void close(strangers_map::iterator stranger, std::string why, stranger_effects& effects);

  stranger_limits limits_;
  std::uint64_t last_ = 0;
  strangers_map strangers_; ///< with the time at which patience ends
  time_point paused_until_ = time_point::min();
};

} // namespace mobula
