#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "mobula/actors/protocol/membership/member_checks.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

struct member_config {
  dialect speaks;
  /// Members and nodes that may become members. A further one takes the place of a node that is
  /// lost and that nobody vouches for; if there is none, it is refused.
  std::size_t max_members = 512;
  /// Requests to join that may be open at once; more fail.
  std::size_t max_joins = 64;
  std::size_t max_dials = 8; ///< under way at once
  /// Rounds over a node's addresses before a join fails, or a lost node is given up.
  std::uint32_t max_join_rounds = 8;
  std::uint32_t max_lost_rounds = 12;
  /// Rounds of a join in which somebody was there and said nothing: the second is over a connection
  /// that is new.
  std::uint32_t max_silent_rounds = 2;
  std::chrono::nanoseconds first_delay = std::chrono::milliseconds{50};
  std::chrono::nanoseconds longest_delay = std::chrono::seconds{30}; ///< delays double up to this
  /// By how much the larger incarnation of a pair dials later than the smaller one.
  std::chrono::nanoseconds deference = std::chrono::seconds{1};
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds{5};
  /// How long each of several addresses is dialed in the first round; doubles with each further
  /// one, up to the handshake's. So one that swallows what is sent to it holds the others up for a
  /// moment.
  std::chrono::nanoseconds first_dial_limit = std::chrono::seconds{1};
  /// Rounds in vain after which a node that others are connected to is reported: long enough that
  /// these would have noticed its death.
  std::uint32_t unreachable_rounds = 6;
};

/// A node as its own membership table knows it: what it says of itself, and in which session it is
/// to be spoken with next.
class local_member {
public:
  local_member(node_record record, member_config config)
    : record_(std::move(record)), config_(std::move(config)) {
    MOBULA_ASSERT(!record_.incarnation.empty() && !record_.control.empty());
    MOBULA_ASSERT(config_.max_dials > 0 && config_.max_join_rounds > 0);
  }

  [[nodiscard]] const node_record& record() const noexcept {
    return record_;
  }

  [[nodiscard]] const incarnation_id& incarnation() const noexcept {
    return record_.incarnation;
  }

  [[nodiscard]] const member_config& config() const noexcept {
    return config_;
  }

  [[nodiscard]] bool has_left() const noexcept {
    return left_;
  }

  /// For good.
  void leave() noexcept {
    left_ = true;
  }

  /// Returns a hello that proposes a session, in place of the one that it ends.
  [[nodiscard]] hello greet(session_id ends) {
    return {.speaks = config_.speaks,
            .record = record_,
            .proposal = session_id{++last_session_},
            .ends = ends};
  }

  /// Returns a session that is larger than any of either side so far.
  [[nodiscard]] session_id accept(session_id proposal) {
    return session_id{std::max(static_cast<std::uint64_t>(proposal), ++last_session_)};
  }

  /// Has own numbers be larger than one that was heard. They go on from a bound if it is beyond
  /// that: who jumps ahead must not have this node propose what others refuse.
  void follow(session_id heard) {
    last_session_ = std::max(last_session_, std::min(static_cast<std::uint64_t>(heard),
                                                     member_limits::max_followed_session));
  }

private:
  node_record record_;
  member_config config_;
  bool left_ = false;
  /// The largest session number that this node counted itself or, within bounds, heard of.
  std::uint64_t last_session_ = 0;
};

} // namespace mobula
