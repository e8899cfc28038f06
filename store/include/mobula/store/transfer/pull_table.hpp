#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

struct pull_config {
  incarnation_id self{};
  /// Bytes of one ask.
  std::uint64_t chunk_bytes = std::uint64_t{4} << 20;
  /// Asks under way for one object, and connections to one node that they are spread over.
  std::size_t chunks_per_pull = 4;
  std::size_t lanes_per_node = 2;
  /// Bytes asked for and not yet here, of all objects. One ask is always allowed.
  std::uint64_t max_asked_bytes = std::uint64_t{256} << 20;
  /// Objects that have a buffer or ask for it. Gets may go up to twice the number, and beyond the
  /// bytes.
  std::size_t max_admitted = 256;
  std::uint64_t max_admitted_bytes = std::uint64_t{1} << 30;
  /// Copies remembered of one object; more are ignored.
  std::size_t max_sources = 16;
  /// First wait after every copy has failed; doubles with each further one, ten times at most.
  std::uint64_t retry_ms = 50;
  /// How long a connection may bring nothing until what was asked over it is given up.
  std::uint64_t stall_ms = 10'000;
  /// How long an object without any copy is waited for.
  std::uint64_t locate_ms = 600'000;
};

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
  enum class phase : std::uint8_t {
    waiting,   ///< has no buffer and asks for none
    reserving, ///< `reserve_buffer` is not answered
    active,    ///< has a buffer
    draining   ///< has a buffer, and gives it back when its asks have ended
  };

  enum class trust : std::uint8_t {
    usable,
    backed_off ///< since it failed; until the retry timer
  };

  struct source {
    copy_location copy;
    trust state = trust::usable;
  };

  /// Place in the order of pulls: class, then number.
  struct order {
    pull_priority priority{};
    std::uint64_t number = 0;

    friend auto operator<=>(const order&, const order&) = default;
  };

  struct timer {
    pull_timer_purpose purpose{};
    std::uint64_t generation = 0;
  };

  struct pulled {
    std::vector<pull_token> tokens;        ///< raised by `pull`, lowered by `cancel` and reports
    std::array<std::size_t, 3> requests{}; ///< the number of them by class
    std::uint64_t number = 0;              ///< rises from one pull to the next
    phase where = phase::waiting;
    /// Raised when the store refuses and when memory is tight; lowered when others gave a buffer
    /// back, and by the retry timer.
    bool held = false;
    /// While reserving: raised by `withdraw_buffer`. The answer changes nothing but that.
    bool withdrawn = false;
    /// While draining: raised by a new size, by `pending` news and by tight memory. New requests
    /// do not save what is here then.
    bool restart = false;
    reserve_priority priority = reserve_priority::if_free; ///< of the last reservation
    std::optional<std::uint64_t> size_bytes; ///< set by the first news, replaced by later ones
    std::uint64_t news = 0;                  ///< sequence of the last one
    object_readiness readiness = object_readiness::ready;
    std::vector<source> sources;           ///< set by news; lowered by refusals and deaths
    std::optional<incarnation_id> current; ///< whom the next bytes are asked of
    byte_ranges here;                      ///< raised by `bytes_arrived`; empty without a buffer
    byte_ranges asked;                     ///< `here` and what is under way
    std::set<ask_number> asks;             ///< under way; at most `chunks_per_pull`
    std::size_t retries = 0;               ///< timers in a row, since a buffer or bytes came
    bool progress = false;                 ///< raised by bytes and asks, lowered by the sweep
    std::uint64_t buffer_bytes = 0;        ///< that it has or asks for
    bool running = false;                  ///< has a buffer, or asks for it, and can get on
    std::uint64_t running_bytes = 0;       ///< its share of the table's `running_bytes_`
    bool counted_buffer = false;           ///< it is one of the table's `buffers_`
    std::optional<timer> waits_for;        ///< at most one timer counts
  };

  struct ask {
    object_id id;
    incarnation_id node;
    data_lane lane{};
    byte_range range;
    std::uint64_t arrived_to = 0; ///< raised by `bytes_arrived`, from the range's begin to its end
    /// The bytes that its lane has to have brought for its turn to be over.
    std::uint64_t turn_bytes = 0;
    bool canceled = false; ///< its end says nothing about its node
  };

  struct lane_use {
    std::size_t asks = 0;
    std::uint64_t asked_bytes = 0;   ///< that have not arrived
    std::uint64_t arrived_bytes = 0; ///< since the node was last asked for nothing
    bool progress = false; ///< raised by whatever comes and by the first ask, lowered by the sweep
  };

  /// What this node asks of another one; forgotten when it asks for nothing.
  struct peer {
    std::vector<lane_use> lanes;
    std::size_t asks = 0;
  };

  struct request {
    object_id id;
    pull_priority priority{};
  };

  // -- pulls (pull_table.cpp) -----------------------------------------------------

  [[nodiscard]] static bool wanted(const pulled& entry) noexcept;
  [[nodiscard]] static bool has_buffer(const pulled& entry) noexcept;
  [[nodiscard]] static order order_of(const pulled& entry) noexcept;
  pulled& get(const object_id& id);
  void end_requests(pulled& entry);
  void report_failure(const object_id& id, error_type error, pull_effects& effects);
  void update(const object_id& id, pull_effects& effects);
  void forget(const object_id& id, pull_effects& effects);
  void finish_event(pull_effects& effects);
  void adopt_sources(pulled& entry, const location_news& news) const;

  // -- admission (pull_admission.cpp) ---------------------------------------------

  [[nodiscard]] static bool has_copies(const pulled& entry) noexcept;
  void enlist(const object_id& id, pulled& entry);
  void delist(const pulled& entry);
  void recount(const object_id& id, pulled& entry);
  void admit(pull_effects& effects);
  [[nodiscard]] bool may_admit(const pulled& entry) const;
  void withdraw(const object_id& id, pulled& entry, pull_effects& effects);
  void restart(const object_id& id, pulled& entry, pull_effects& effects);
  void drain(pulled& entry, pull_effects& effects);
  void give_buffer_back(const object_id& id, pulled& entry, pull_effects& effects);
  void reclaim(std::uint64_t bytes, const order& after, pull_effects& effects);

  // -- asking (pull_sources.cpp) --------------------------------------------------

  [[nodiscard]] static bool complete(const pulled& entry);
  void ask_more(const object_id& id, pulled& entry, pull_effects& effects);
  [[nodiscard]] bool ask_once(const object_id& id, pulled& entry, pull_effects& effects);
  void ask_hungry(pull_effects& effects);
  [[nodiscard]] std::optional<incarnation_id> pick_source(const object_id& id,
                                                          const pulled& entry) const;
  [[nodiscard]] std::size_t asks_to(const incarnation_id& node) const;
  lane_use& lane_of(const ask& under_way);
  void begin_ask(const object_id& id, pulled& entry, byte_range range, pull_effects& effects);
  ask take_ask(ask_number number);
  static void distrust(pulled& entry, const incarnation_id& node);
  static void drop_source(pulled& entry, const incarnation_id& node);
  void cancel_asks(const pulled& entry, pull_effects& effects);
  [[nodiscard]] std::optional<pull_timer_purpose> wanted_timer(const object_id& id,
                                                               const pulled& entry) const;
  void set_timer(const object_id& id, pulled& entry, pull_effects& effects);
  void stop_timer(const object_id& id, pulled& entry, pull_effects& effects);
  void start_sweep(pull_effects& effects);
  void stop_sweep(pull_effects& effects);
  void sweep(pull_effects& effects);
  [[nodiscard]] std::vector<close_lane> silent_lanes();
  [[nodiscard]] bool is_hopeless(const ask& under_way, const std::vector<close_lane>& silent);

  void check_pull(const object_id& id, const pulled& entry) const;

  pull_config config_;
  std::unordered_map<object_id, pulled> pulls_;
  std::unordered_map<pull_token, request> requests_; ///< exactly those that have not ended
  std::unordered_map<ask_number, ask> asks_;
  std::unordered_map<incarnation_id, peer> peers_;
  std::map<order, object_id> queue_;    ///< exactly the waiting ones with a copy that are not held
  std::map<order, object_id> held_;     ///< exactly the waiting ones with a copy that are held
  std::map<order, object_id> hungry_;   ///< active ones that would ask for more but for the limit
  std::map<order, object_id> admitted_; ///< exactly those that are not waiting
  std::size_t running_ = 0;             ///< number of pulls whose `running` is raised
  std::uint64_t running_bytes_ = 0;     ///< their buffers
  std::size_t buffers_ = 0;             ///< number of pulls that are active or draining
  std::uint64_t asked_bytes_ = 0;       ///< sum over `asks_` of what has not arrived
  std::uint64_t pulls_numbered_ = 0;
  std::uint64_t asks_numbered_ = 0;
  std::uint64_t timers_numbered_ = 0;
  std::uint64_t sweep_generation_ = 0;
  bool sweeping_ = false; ///< a sweep timer is set; there is none while nothing is asked for
  pull_stats counters_;   ///< only its second half
};

} // namespace mobula
