#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "../numbered_ids.hpp"
#include "mobula/store/transfer/pull_table.hpp"
#include "mobula/store/transfer/push_table.hpp"

namespace mobula::test {

using object_bytes = std::vector<std::uint8_t>;

/// Several nodes, each with both tables, a store of limited size, and connections that keep the
/// order of their frames and nothing else. Everything that may happen next is one of `choices`;
/// timers fire when nothing else is left, or whenever a schedule says so.
class transfer_cluster {
public:
  struct ask_state {
    ask_bytes ask;
    std::uint64_t arrived = 0;
  };

  struct chunk {
    object_range range;
    object_bytes bytes;
  };

  struct up_frame {
    ask_number ask{};
    std::optional<object_range> range; ///< none in a cancel
  };

  struct down_frame {
    ask_number ask{};
    std::variant<chunk, refusal_reason> content;
  };

  struct link {
    std::size_t reader = 0;
    std::size_t server = 0;
    data_lane lane{};
    reader_connection id{};
    std::deque<up_frame> up;
    std::deque<down_frame> down;
  };

  struct node {
    explicit node(std::size_t index, pull_config pulls, push_config pushes)
      : self(node_number(index)), pull((pulls.self = self, pulls)), push(pushes) {
    }

    incarnation_id self;
    pull_table pull;
    push_table push;
    bool alive = true;
    std::uint64_t capacity = 0;
    std::map<std::uint64_t, std::shared_ptr<object_bytes>> buffers; ///< of pulls
    std::map<std::uint64_t, std::shared_ptr<object_bytes>> copies;  ///< whole
    std::map<std::uint64_t, std::shared_ptr<object_bytes>> kept;    ///< for readers
    std::map<std::uint64_t, reserve_buffer> reservations;
    std::map<ask_number, ask_state> asks; ///< whose end has not been told
    std::map<std::uint64_t, pull_token> requested;
    std::map<error_type, std::uint64_t> failures;
    std::deque<std::pair<std::uint64_t, location_news>> news;
    std::uint64_t sent_bytes = 0;
  };

  struct place {
    std::size_t node = 0;
    std::uint64_t order = 0; ///< when it began
  };

  struct known_object {
    std::size_t owner = 0;
    object_bytes bytes;
    std::vector<place> places;
  };

  struct pending {
    std::size_t node = 0;
    std::function<void()> run;
  };

  struct set_timer {
    std::size_t node = 0;
    std::uint64_t due = 0;
    pull_timer timer;
  };

  transfer_cluster(std::uint64_t seed, std::size_t nodes, pull_config pulls, push_config pushes,
                   std::uint64_t capacity)
    : random(seed) {
    for (std::size_t i = 0; i < nodes; ++i) {
      all.push_back(std::make_unique<node>(i + 1, pulls, pushes));
      all.back()->capacity = capacity;
    }
  }

  // -- objects --------------------------------------------------------------------

  static object_id id_of(std::uint64_t number) {
    return object_number(number);
  }

  void create(std::uint64_t number, std::size_t owner, std::size_t size);
  void request(std::size_t reader, std::uint64_t number, pull_priority priority);
  void cancel(std::size_t reader, std::uint64_t number);

  /// Gives up a whole copy, unless it is the owner's.
  void evict(std::size_t where, std::uint64_t number);

  /// The store would rather have so many bytes back.
  void squeeze(std::size_t where, std::uint64_t bytes);

  // -- the directory, which the owner keeps ---------------------------------------

  void tell(std::size_t reader, std::uint64_t number);
  void tell_all(std::uint64_t number);
  void add_place(std::uint64_t number, std::size_t where);
  void remove_place(std::uint64_t number, std::size_t where);
  void fail(std::size_t reader, std::uint64_t number, error_type error);

  // -- faults ---------------------------------------------------------------------

  void cut(std::size_t index);
  void crash(std::size_t dead);

  // -- running --------------------------------------------------------------------

  /// Makes one of the things happen that may happen next. Returns whether there was any.
  bool step();

  bool fire_next_timer();

  /// Runs until nothing is left to happen. Returns the number of steps.
  std::size_t drain(std::size_t most);

  std::mt19937_64 random;
  std::vector<std::unique_ptr<node>> all;
  std::map<std::uint64_t, known_object> objects;
  std::vector<link> links;
  std::vector<pending> events;
  std::vector<set_timer> timers;
  std::uint64_t now = 0;

private:
  template <class Event>
  void pull_event(std::size_t where, Event run) {
    if (!all[where]->alive)
      return;
    pull_effects effects;
    run(effects);
    all[where]->pull.check_invariants();
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(where, content); }, effect);
  }

  template <class Event>
  void push_event(std::size_t where, Event run) {
    if (!all[where]->alive)
      return;
    push_effects effects;
    run(effects);
    all[where]->push.check_invariants();
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(where, content); }, effect);
  }

  void later(std::size_t where, std::function<void()> run);
  void run_event(std::size_t index);
  void deliver_news(std::size_t where);

  // -- the store ------------------------------------------------------------------

  static std::uint64_t used(const node& who);
  void answer_reservation(std::size_t where, std::uint64_t number);
  bool evict_any(std::size_t where);
  void carry_out(std::size_t where, const reserve_buffer& wish);
  void carry_out(std::size_t, const withdraw_buffer&);
  void carry_out(std::size_t where, const return_buffer& end);

  // -- the reader's side ----------------------------------------------------------

  void carry_out(std::size_t where, const ask_bytes& ask);
  void carry_out(std::size_t where, const cancel_ask& cancel);
  void end_lost(std::size_t where, ask_number number);
  void move_down(std::size_t index);
  void receive(std::size_t where, ask_state& state, const chunk& arrived);
  void carry_out(std::size_t where, const start_pull_timer& wish);
  void carry_out(std::size_t where, const close_lane& lane);
  void carry_out(std::size_t where, const stop_pull_timer& wish);
  void carry_out(std::size_t where, const report_pull_began& report);
  void carry_out(std::size_t where, const report_pull_stopped& report);
  void carry_out(std::size_t where, const report_arrived& report);
  void carry_out(std::size_t where, const report_pull_failed& report);

  // -- the server's side ----------------------------------------------------------

  void move_up(std::size_t index);
  void carry_out(std::size_t where, const find_served& find);
  void carry_out(std::size_t where, const release_served& release);
  void carry_out(std::size_t where, const send_chunk& send);
  void carry_out(std::size_t, const send_refusal& refusal);

  std::uint64_t tokens = 0;
  std::uint64_t orders = 0;
  std::uint64_t sequences = 0;
  std::uint64_t connections = 0;
};

} // namespace mobula::test
