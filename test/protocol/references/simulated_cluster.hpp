#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "simulated_node.hpp"
#include "wire_message.hpp"

namespace mobula::test {

/// A small generator (splitmix64): thousands of simulations a second each begin a new one.
class random_source {
public:
  explicit random_source(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15ULL) {
    // nop
  }

  std::uint64_t next() noexcept {
    auto mixed = state_ += 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31U);
  }

  /// Returns a number below `bound`, zero if that is zero.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return bound == 0 ? 0 : next() % bound;
  }

private:
  std::uint64_t state_;
};

/// Index of a process that may run one node after the other.
using place = std::size_t;

enum class failures : std::uint8_t { none, expected };

enum class tracing : std::uint8_t { off, on };

struct cluster_options {
  std::size_t nodes = 3;
  std::uint64_t seed = 0; ///< zero: no message is ever delayed
  std::uint64_t max_delay = 100;
  std::uint64_t max_turn_delay = 20;
  std::uint64_t max_detection = 150; ///< until an end learns that its connection is lost
  std::uint64_t lease = 1'000'000;
  std::uint64_t grace = 2'000;
  failures expect = failures::none;
  tracing trace = tracing::off;
  borrow_limits limits = {};
};

/// Whether the receiving actor is there to have the message deserialized.
enum class receiver : std::uint8_t { there, gone };

/// When a connection that was cut may be made again.
enum class cut : std::uint8_t { passing, until_healed };

/// Thrown by the first promise that is broken.
struct simulation_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Nodes, links between them, and time. A link keeps order in each direction; all else is the
/// seed's choice: how long each message takes, what of a link's messages arrives after it was cut
/// or its sender crashed, and when each end learns of it.
///
/// Checked at every free: no living reference anywhere relies on the object (I1). What is excused
/// is only what the protocol does not promise: references whose owner died or lost its session with
/// the holder, and with failures those that were sent or received without a session with the owner.
class simulated_cluster : private node_surroundings {
public:
  explicit simulated_cluster(const cluster_options& options);

  simulated_cluster(const simulated_cluster&) = delete;
  simulated_cluster& operator=(const simulated_cluster&) = delete;

  // -- what happens from outside ----------------------------------------------

  /// Makes a connection if both nodes live, none exists and none is forbidden.
  void connect(place from, place to);

  void connect_all();

  void sever(place one, place other, cut how);

  void heal(place one, place other);

  void crash(place where);

  void restart(place where);

  /// Serializes references at `from` and sends them in one message. Without a session the
  /// message is lost after it was serialized.
  void send(place from, place to, const std::vector<object_id>& objects,
            receiver who = receiver::there);

  /// From here on `f` is called with each user message after it was deserialized.
  void on_received(std::function<void(place, const user_message&)> f) {
    received_ = std::move(f);
  }

  /// Calls `f` at a time.
  void at(std::uint64_t time, std::function<void()> f);

  // -- running ----------------------------------------------------------------

  /// Lets the next thing happen. Returns false if nothing is left.
  bool step();

  /// Runs until only timers are left.
  void settle();

  /// Runs until the condition holds.
  void settle_until(const std::function<bool()>& condition);

  /// Lets up to so many things happen that are not timers.
  void run_some(std::uint64_t steps);

  /// Has all nodes drop what they hold, runs until nothing is left to happen, and sees to it that
  /// nothing is left at all (I2).
  void finish();

  // -- properties -------------------------------------------------------------

  [[nodiscard]] bool lives(place where) const {
    return nodes_[where] != nullptr;
  }

  [[nodiscard]] simulated_node& node(place where) {
    return *nodes_[where];
  }

  [[nodiscard]] std::size_t places() const noexcept {
    return nodes_.size();
  }

  /// Returns whether the object's entry lives at its owner.
  [[nodiscard]] bool exists(const object_id& object) const;

  [[nodiscard]] std::uint64_t now() const noexcept {
    return now_;
  }

  [[nodiscard]] random_source& random() noexcept {
    return random_;
  }

  /// How many messages of a kind were sent.
  template <class Message>
  [[nodiscard]] std::uint64_t sent() const {
    return counts_[reference_message{Message{}}.index()];
  }

  [[nodiscard]] std::uint64_t messages() const noexcept {
    return message_count_;
  }

  [[nodiscard]] const std::vector<std::string>& trace() const noexcept {
    return trace_;
  }

private:
  enum class kind : std::uint8_t { deliver, turn, grace, lease, session_lost, dial, call };

  struct event {
    kind what = kind::call;
    incarnation_id node = {}; ///< whom it concerns; nobody if that one is dead by then
    std::uint64_t number = 0; ///< timer, index of a message or call
    peer_session peer = {};   ///< of `session_lost` and `dial`
    std::uint64_t time = 0;
    std::uint64_t order = 0;

    /// The queue gives the greatest first.
    friend bool operator<(const event& left, const event& right) noexcept {
      return std::pair{left.time, left.order} > std::pair{right.time, right.order};
    }
  };

  struct direction {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    std::uint64_t keep = 0; ///< of a cut connection: so many arrive
    std::uint64_t last_time = 0;
    std::uint64_t max_delay = 0;
  };

  struct connection {
    session_id session;
    std::array<incarnation_id, 2> ends;
    std::array<direction, 2> directions;
    bool is_cut = false;
  };

  struct in_flight {
    std::size_t connection;
    std::size_t direction;
    std::uint64_t index; ///< in its direction
    receiver who;
    wire_message message;
  };

  // -- node_surroundings --------------------------------------------------------------------------
  void send(const incarnation_id& from, const incarnation_id& to, wire_message message) override;
  void start_timer(const incarnation_id& of, start_grace timer) override;
  void start_timer(const incarnation_id& of, start_lease timer) override;
  void dial(const incarnation_id& from, const incarnation_id& owner) override;
  void want_turn(const incarnation_id& of) override;
  void object_freed(const object_id& object) override;
  void violation(const std::string& text) override;

  void push(std::uint64_t delay, event what);
  void post(const incarnation_id& from, const incarnation_id& to, wire_message message,
            receiver who);
  void deliver(std::size_t which);
  void cut_connection(std::size_t which);
  void lose_session(std::size_t which, std::size_t end);
  void session_lost(simulated_node& node, const peer_session& peer);
  void dialed(simulated_node& from, const incarnation_id& owner);
  void handle(const event& what);

  /// Calls `text` only if there is a trace to write.
  template <class F>
  void note(F&& text) {
    if (options_.trace == tracing::on)
      trace_.push_back(std::to_string(now_) + " " + text());
  }

  [[nodiscard]] std::uint64_t delay_below(std::uint64_t bound);
  [[nodiscard]] simulated_node* find(const incarnation_id& node) const;
  [[nodiscard]] static bool is_timer(kind what) noexcept {
    return what == kind::grace || what == kind::lease;
  }

  static constexpr std::size_t no_connection = ~std::size_t{0};
  [[nodiscard]] std::size_t connection_of(place one, place other) const;

  cluster_options options_;
  random_source random_;
  std::vector<std::unique_ptr<simulated_node>> nodes_;
  std::vector<std::uint64_t> lives_;                         ///< so far, by place
  std::vector<bool> turn_wanted_;                            ///< by place
  std::map<std::pair<place, place>, std::size_t> connected_; ///< the latest, smaller place first
  std::map<std::pair<place, place>, bool> blocked_;
  std::vector<connection> connections_;
  std::vector<in_flight> messages_;
  std::vector<std::size_t> free_messages_;
  std::vector<std::function<void()>> calls_;
  std::function<void(place, const user_message&)> received_;
  std::priority_queue<event> events_;
  std::size_t work_ = 0; ///< events that are not timers
  std::uint64_t now_ = 0;
  std::uint64_t orders_ = 0;
  std::uint64_t sessions_ = 0;
  std::array<std::uint64_t, std::variant_size_v<reference_message>> counts_{};
  std::uint64_t message_count_ = 0;
  std::vector<std::string> trace_;
};

} // namespace mobula::test
