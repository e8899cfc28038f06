#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "mobula/serialization/error_type.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula {

/// Names one request for an object; drawn by the caller and never given twice.
enum class pull_token : std::uint64_t {};

/// What a request is for, the most urgent first.
enum class pull_priority : std::uint8_t { get, wait, argument };

/// How far away a copy is, the closest first.
enum class copy_distance : std::uint8_t { same_host, other_host };

/// A node that has an object, or has begun to pull it.
struct copy_location {
  incarnation_id node;
  copy_distance distance = copy_distance::other_host;

  friend bool operator==(const copy_location&, const copy_location&) = default;
};

/// Whether there is anything to fetch.
enum class object_readiness : std::uint8_t {
  ready,
  pending ///< being made, again perhaps: whoever waits for it waits without a limit
};

/// All that an object's owner says about where it is. Later news replace earlier ones.
///
/// A copy that is still being pulled may be named only to nodes that began after it did. So no two
/// nodes ever wait for each other's bytes.
struct location_news {
  incarnation_id owner{};     ///< who says so
  std::uint64_t sequence = 0; ///< rises with each news about this object
  std::uint64_t size_bytes = 0;
  object_readiness readiness = object_readiness::ready;
  std::vector<copy_location> copies{};
};

/// One of the connections to a node, counted from zero. Opened when it is first asked for.
enum class data_lane : std::uint32_t {};

/// How much a reservation may ask of the store.
enum class reserve_priority : std::uint8_t {
  if_free, ///< refused at once unless there is free memory
  must     ///< waits while others are evicted and spilled
};

enum class pull_timer_purpose : std::uint8_t { locate, retry, sweep };

/// Names a timer. The table knows which ones no longer count.
struct pull_timer {
  pull_timer_purpose purpose{};
  object_id id; ///< none for `sweep`
  std::uint64_t generation = 0;

  friend bool operator==(const pull_timer&, const pull_timer&) = default;
};

// -- effects --------------------------------------------------------------------

/// Asks the store for an object's buffer. Answered once by `buffer_granted` or `buffer_refused`.
struct reserve_buffer {
  object_id id;
  std::uint64_t size_bytes;
  reserve_priority priority;
};

/// The buffer is no longer needed. `reserve_buffer` is answered all the same.
struct withdraw_buffer {
  object_id id;
};

/// Gives a granted buffer back, with what bytes it holds. Nobody writes there any more.
struct return_buffer {
  object_id id;
};

/// Asks a node for bytes, over a connection that is opened if need be. Answered by any number of
/// `bytes_arrived`, then once by `ask_finished`, `ask_refused` or `ask_lost`.
struct ask_bytes {
  ask_number ask;
  incarnation_id node;
  data_lane lane;
  object_range range;
};

/// The answer is no longer needed. Its end is reported all the same, once nobody writes any more.
struct cancel_ask {
  ask_number ask;
};

/// Nothing has come over this connection for as long as a node may be silent: it is of no use,
/// since a firewall may have forgotten it. Asks over it end, and the next one opens another
/// connection.
struct close_lane {
  incarnation_id node;
  data_lane lane;
};

/// Asks for `timer_fired` after a delay.
struct start_pull_timer {
  pull_timer timer;
  std::uint64_t delay_ms;
};

/// Nobody waits for the timer any more.
struct stop_pull_timer {
  pull_timer timer;
};

/// From now on this node can serve others with what it has of the object.
struct report_pull_began {
  object_id id;
};

/// Ends what `report_pull_began` began, without the object.
struct report_pull_stopped {
  object_id id;
};

/// Ends all requests for the object: it is whole, and ready to be sealed.
struct report_arrived {
  object_id id;
};

/// Ends all requests for the object.
struct report_pull_failed {
  object_id id;
  error_type error;
};

using pull_effect =
  std::variant<reserve_buffer, withdraw_buffer, return_buffer, ask_bytes, cancel_ask, close_lane,
               start_pull_timer, stop_pull_timer, report_pull_began, report_pull_stopped,
               report_arrived, report_pull_failed>;

/// Effects in the order in which they must be carried out. Events append to it.
using pull_effects = std::vector<pull_effect>;

// -- figures --------------------------------------------------------------------

/// Exact at every moment between two events.
struct pull_stats {
  // What is there now.
  std::size_t objects = 0;  ///< with a request, or on their way out
  std::size_t requests = 0; ///< not yet answered or canceled
  std::size_t admitted = 0; ///< have a buffer or ask for it
  std::uint64_t admitted_bytes = 0;
  std::size_t asks = 0; ///< under way
  std::uint64_t asked_bytes = 0;

  // What happened since the start.
  std::uint64_t arrived_objects = 0;
  std::uint64_t arrived_bytes = 0; ///< those of objects that never got whole included
  std::uint64_t failed_objects = 0;
  std::uint64_t lost_asks = 0; ///< whose connection broke
  std::uint64_t refused_asks = 0;
  std::uint64_t restarts = 0; ///< pulls that gave their buffer back and began again
};

} // namespace mobula
