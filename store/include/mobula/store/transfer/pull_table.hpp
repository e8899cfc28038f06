#pragma once

#include <cstdint>
#include <unordered_map>

#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/ask_planner.hpp"
#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/pull_admission.hpp"
#include "mobula/store/transfer/pull_asks.hpp"
#include "mobula/store/transfer/pull_config.hpp"
#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/pull_lists.hpp"
#include "mobula/store/transfer/pull_set.hpp"
#include "mobula/store/transfer/pull_state.hpp"
#include "mobula/store/transfer/pull_timers.hpp"

namespace mobula {

/// Plans what one node fetches from others, and from whom.
///
/// *One pull for an object*, however many requests there are; its priority is that of the most
/// urgent one. Pulls are admitted in order of priority, then of arrival, as soon as their owner has
/// said how large they are and who has them.
///
/// *Admission.* The store grants each pull its buffer. Waits and arguments take what is free; a
/// get, and a pull that is alone, may have others moved out. What is refused is held back until a
/// buffer was given back or a timer fires; so at least one pull always runs. One that may have
/// others moved out fails with `store_full` when it is refused and no pull has a buffer that it
/// could give back. When memory gets tight, arguments, then waits, give their buffers back.
///
/// *One source at a time for an object*, the closest, then the one that this node asks least, then
/// any: which one differs from node to node, so that they spread. A few chunks are under way,
/// always the first missing bytes; so a source that fails, refuses, is silent or is no longer named
/// costs nothing but the bytes on their way, and others can be served early with what is here.
/// Several sources for one object would fill no link better, and would tie up more of their
/// readers' turns.
///
/// *A tree.* A node serves at most so many readers of one object at a time (`push_table`); the rest
/// are refused as busy and turn to another copy, which may itself still be arriving. With n readers
/// at once, each copy serves a few, so that the first one is not asked by all.
///
/// *No waiting without end.* Without any copy, a pull ends with `object_fetch_timed_out`, unless
/// the owner has said that the object is being made. With copies that all fail it tries again,
/// after ever longer waits. Asks over a connection that brings nothing are given up, and so is the
/// connection. On a slow one they wait for their turn, as long as anything comes: what counts are
/// bytes, not whole chunks, which may take minutes there. An ask whose turn is over is given up all
/// the same.
///
/// *Memory is safe.* Bytes arrive in other threads, straight in the buffer. So a buffer is given
/// back only when every ask for it has ended; a pull in between is `draining`.
///
/// *Parts.* `pull_set` has the pulls, `pull_lists` their order, `pull_asks` what is asked at this
/// moment; `pull_admission` gets them their buffers, `ask_planner` their bytes, and `pull_timers`
/// what only time can help with.
///
/// Requests end in `report_arrived` or `report_pull_failed`, one report for all of an object,
/// unless they are canceled. The callers bound their number. Events append their effects to the
/// caller's buffer.
class pull_table {
public:
  explicit pull_table(const pull_config& config);

  pull_table(const pull_table&) = delete;
  pull_table& operator=(const pull_table&) = delete;

  // -- requests -------------------------------------------------------------------

  void pull(pull_token token, const object_id& id, pull_priority priority, pull_effects& effects);

  /// Ignored when the request has ended.
  void cancel(pull_token token, pull_effects& effects);

  /// The object has no value any more, whatever copies there are. Ignored when nobody wants it.
  void fail(const object_id& id, error_type error, pull_effects& effects);

  // -- news -----------------------------------------------------------------------

  /// Ignored when nobody wants the object, and when older than what is known.
  void located(const object_id& id, const location_news& news, pull_effects& effects);

  /// The node is dead: it is no source any more. Asks to it end on their own.
  void node_lost(const incarnation_id& node, pull_effects& effects);

  // -- answers from the store -----------------------------------------------------

  void buffer_granted(const object_id& id, pull_effects& effects);

  void buffer_refused(const object_id& id, pull_effects& effects);

  /// Answers `reserve_buffer`, too: the store has the object. Ends all requests for it, without a
  /// report.
  void buffer_unneeded(const object_id& id, pull_effects& effects);

  /// The store would rather have so many bytes back.
  void memory_tight(std::uint64_t bytes, pull_effects& effects);

  // -- answers from the network ---------------------------------------------------

  /// The next bytes of the ask's range are where they belong.
  void bytes_arrived(ask_number ask, std::uint64_t bytes, pull_effects& effects);

  /// Part of a chunk has come over the connection, whosever it is.
  void lane_progressed(const incarnation_id& node, data_lane lane);

  /// REQUIRES: all bytes of the ask have arrived.
  void ask_finished(ask_number ask, pull_effects& effects);

  void ask_refused(ask_number ask, refusal_reason reason, pull_effects& effects);

  /// The connection broke, or the ask was canceled.
  void ask_lost(ask_number ask, pull_effects& effects);

  // -- time -----------------------------------------------------------------------

  void timer_fired(const pull_timer& timer, pull_effects& effects);

  // -- properties -----------------------------------------------------------------

  /// Returns which bytes of the object are here, for those who read it from this node; nothing
  /// unless it has a buffer.
  [[nodiscard]] const byte_ranges* received(const object_id& id) const;

  [[nodiscard]] pull_stats stats() const;

  /// Recomputes every sum and list from the pulls and asserts that they agree. O(n).
  void check_invariants() const;

private:
  using phase = pull_phase;

  struct request {
    object_id id;
    pull_priority priority{};
  };

  void end_requests(pull_state& entry);
  void report_failure(const object_id& id, error_type error, pull_effects& effects);
  void update(const object_id& id, pull_effects& effects);
  void forget(const object_id& id, pull_effects& effects);
  void finish_event(pull_effects& effects);
  void reclaim(std::uint64_t bytes, const pull_place& after, pull_effects& effects);
  void ask_hungry(pull_effects& effects);
  pull_asks::ask take_ask(ask_number number);
  void sweep(pull_effects& effects);
  void check_pull(const object_id& id, const pull_state& entry) const;

  pull_config config_;
  pull_set pulls_;
  std::unordered_map<pull_token, request> requests_; ///< exactly those that have not ended
  pull_asks asks_;
  pull_lists lists_;
  pull_timers timers_;
  pull_stats counters_; ///< only its second half
  ask_planner planner_;
  pull_admission admission_;
};

} // namespace mobula
