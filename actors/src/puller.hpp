#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "mobula/actors/node_core.hpp"
#include "mobula/actors/transfers.hpp"
#include "mobula/store/pull_table.hpp"

namespace mobula {

/// The part of the transfers that fetches values: feeds the pull table with what the cluster actor,
/// the shards and the port say, and carries its effects out.
///
/// The table knows each copy by its own number, as the shard does, and the only place to fetch it
/// from is the owner; the object's id is what the port asks for.
///
/// | field        | raised by                        | lowered by                              |
/// |--------------|----------------------------------|-----------------------------------------|
/// | pulls_       | `pull`                           | its end, or that of its room if later   |
/// | pull::entry  | `pull`                           | `end`, the table's report               |
/// | pull::room   | `reserve_room`                   | a refusal, `abandon_room`, arrival      |
/// | asks_        | `ask_bytes`                      | the port's report of its end            |
///
/// *Bounds*: pulls by the foreign entries of the node that somebody waits for, asks by the table.
class puller {
public:
  puller(node_core& core, transfers_actor::pointer self);

  void open(std::shared_ptr<transfer_port> port) {
    port_ = std::move(port);
  }

  /// Nobody writes to any room any more. REQUIRES: the port is closed.
  void close();

  // -- the cluster actor --------------------------------------------------------------------------

  void pull(const pull_value& request);
  void urge(const urge_pull& request);
  void end(const end_pull& request);
  void source_left(const incarnation_id& node);

  // -- answers ------------------------------------------------------------------------------------

  void room_answered(const pull_room_answered& answer);
  void received(const bytes_came& news);
  void received(const ask_complete& news);
  void received(const ask_turned_down& news);
  void received(const ask_broken& news);
  void timer_over(const pull_timer& timer);

  // -- properties ---------------------------------------------------------------------------------

  void add_figures(node_stats& stats) const;
  void check_invariants() const;

private:
  /// Rounds of asks that the owner's port may leave without any byte.
  static constexpr std::size_t most_lost_rounds = 6;

  enum class room_state : std::uint8_t { none, asked, given };

  struct pulled {
    object_id object;
    copy_pointer copy;
    entry_scope entry;    ///< null once nobody wants it any more
    pull_token token{};   ///< of the request that counts
    pull_class urgency{}; ///< of the most urgent one
    room_state room = room_state::none;
    std::size_t lost = 0;                        ///< asks in a row; lowered by bytes
    std::optional<refuse_request> refusal;       ///< the latest
    pull_outcome failure = pull_outcome::failed; ///< what a failure is, if there is one
  };

  using pull_map = std::unordered_map<object_id, pulled>;

  [[nodiscard]] object_id id_of(const stored_copy& copy) const;
  pull_map::iterator take_ask(ask_number ask);
  void give_up(const object_id& id, pulled& entry, error_type error, pull_outcome outcome);
  void tidy(pull_map::iterator position);
  void run();
  template <class Message>
  void send_to_shard(const pulled& entry, Message message);
  [[nodiscard]] error_info explain(const pulled& entry, error_type error) const;

  void apply(const reserve_room& effect);
  void apply(const withdraw_room& effect);
  void apply(const abandon_room& effect);
  void apply(const ask_bytes& effect);
  void apply(const cancel_ask& effect);
  void apply(const start_pull_timer& effect);
  void apply(const report_pull_began& effect);
  void apply(const report_pull_stopped& effect);
  void apply(const report_arrived& effect);
  void apply(const report_pull_failed& effect);

  node_core& core_;
  transfers_actor::pointer self_;
  std::shared_ptr<transfer_port> port_;
  pull_table table_;
  pull_effects effects_;
  pull_map pulls_; ///< by the copy's own id
  std::unordered_map<ask_number, object_id> asks_;
  std::uint64_t tokens_ = 0;
  std::uint64_t timers_ = 0; ///< that run
};

} // namespace mobula
