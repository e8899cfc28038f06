#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/membership/member_messages.hpp"

namespace mobula {

/// Names a way to another node's membership, from the moment it is found until it is lost. Chosen
/// by the caller, never used twice.
enum class link_id : std::uint64_t {};

/// Names one dial.
enum class dial_id : std::uint64_t {};

/// Names a timer. One that was stopped may fire all the same; it changes nothing.
enum class timer_id : std::uint64_t {};

/// Names a user's request to join; chosen by the caller.
enum class join_id : std::uint64_t {};

/// Why a member is none any more.
enum class departure : std::uint8_t {
  left,            ///< it said so
  connection_lost, ///< or silent for longer than the heartbeat allows
  node_ended,      ///< its membership ended while its process still answers
  replaced,        ///< it began a new session without knowing of this one
};

[[nodiscard]] std::string_view to_string(departure why) noexcept;

/// Whether a dial that failed may succeed later.
enum class dial_failure : std::uint8_t {
  passing, ///< nobody answers there, now
  lasting, ///< the address itself is wrong, or the node there wants no session
  silent,  ///< somebody is there, and says nothing: time will tell, but not soon
};

/// Ends in `member_table::dialed`, `dialed_oneself` or `dial_failed`.
struct dial {
  dial_id number;
  endpoint target;
  std::chrono::nanoseconds limit; ///< for the connection
};

struct send_on_link {
  link_id link;
  member_message message;
};

/// The table has no use for the link: it may be closed. It may come up again in a later event.
struct forget_link {
  link_id link;
};

/// Nobody answers over this link: its connection is to be closed, if this node dialed it, so that
/// the next dial makes another. `link_lost` may follow.
struct drop_link {
  link_id link;
};

struct start_timer {
  timer_id timer;
  std::chrono::nanoseconds delay;
};

/// Nobody waits for the timer any more.
struct stop_timer {
  timer_id timer;
};

/// For one incarnation, `report_member_joined` and `report_member_left` alternate.
struct report_member_joined {
  node_record record;
  session_id session;
  link_id link;
};

struct report_member_left {
  incarnation_id incarnation;
  session_id session;
  departure why;
};

struct report_join_succeeded {
  join_id join;
  incarnation_id member;
};

struct report_join_failed {
  join_id join;
  dial_failure kind;
  std::string text;
};

/// Other members are connected to the node, and this one cannot be; for the log. Said once until
/// there is a session.
struct report_member_unreachable {
  incarnation_id member;
  std::string text;
};

/// A node was turned away; for the log. Said of the first, second, fourth, eighth one of a reason.
struct report_refused {
  join_refusal reason;
  std::string text;
};

/// What another node said cannot be, or answers nothing; it changed nothing. For the log.
struct report_ignored {
  std::string text;
};

/// In the order in which they have to be carried out.
using member_effect =
  std::variant<dial, send_on_link, forget_link, drop_link, start_timer, stop_timer,
               report_member_joined, report_member_left, report_join_succeeded, report_join_failed,
               report_member_unreachable, report_refused, report_ignored>;

using member_effects = std::vector<member_effect>;

} // namespace mobula
