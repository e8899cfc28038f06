#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "arriving_copies.hpp"
#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/store/transfer/pull_table.hpp"
#include "port_reach.hpp"

namespace mobula {

/// The part of the transfers that fetches values: feeds the pull table with what the cluster actor,
/// the shards and the port say, and carries its effects out.
///
/// The table knows each copy by its own number, as the shard does; the object's id is what the port
/// asks for. Bytes are fetched from where the owner sent this node, and the rest from the owner
/// itself as soon as anything goes wrong there. A node whose port cannot be reached is not asked
/// for a while: what it owns has to come another way. What has arrived is lent to others
/// (`arriving_copies`); while these read from a buffer, it is not given back.
///
/// | field        | raised by        | lowered by                               |
/// |--------------|------------------|------------------------------------------|
/// | pulls_       | `pull`           | its end, or that of its buffer if later  |
/// | pull::entry  | `pull`           | `end`, the table's report, `found_whole` |
/// | pull::buffer | `reserve_buffer` | a refusal, `return_buffer` or the end of |
/// |              |                  | those that read from it, `pull_sealed`   |
/// | asks_        | `ask_bytes`      | the port's report of its end             |
///
/// *Bounds*: pulls by the borrowed entries of the node that somebody waits for, asks by the table.
class puller {
public:
  /// REQUIRES: `arriving` outlives this.
  puller(node_core& core, transfers_actor::pointer self, arriving_copies& arriving);

  void open(std::shared_ptr<transfer_port> port) {
    port_ = std::move(port);
  }

  /// Nobody writes to any buffer any more. REQUIRES: the port is closed.
  void close();

  // -- the cluster actor --------------------------------------------------------------------------

  void pull(const pull_value& request);
  void raise(const raise_priority& request);
  void end(const end_pull& request);
  void source_joined(const incarnation_id& node);
  void source_left(const incarnation_id& node);

  // -- answers ------------------------------------------------------------------------------------

  void buffer_answered(const pull_buffer_answered& answer);
  void sealed(const pull_sealed& answer);
  void let_go(const buffer_let_go& news);
  void received(const bytes_arrived& news);
  void received(const request_finished& news);
  void received(const request_refused& news);
  void received(const request_lost& news);
  void received(const lane_progress& news);
  void received(const source_answered& news);
  void received(const source_silent& news);

  // -- properties ---------------------------------------------------------------------------------

  void add_figures(node_stats& stats) const;
  void check_invariants() const;

private:
  /// Rounds of asks that the owner's port may leave without any byte.
  static constexpr std::size_t max_lost_rounds = 6;

  enum class buffer_state : std::uint8_t {
    none,
    asked, ///< the shard answers with a buffer or without, or that the copy is whole
    given,
    leaving, ///< to be given back when nobody reads from it any more
    sealing  ///< whole; the shard has not answered yet
  };

  /// What was asked of the shard while the former buffer was leaving.
  enum class next_buffer : std::uint8_t { unneeded, wanted, withdrawn };

  struct pulled {
    object_id object;
    copy_pointer copy;
    release_token entry;      ///< null once nobody wants it any more
    pull_token token{};       ///< of the request that counts
    pull_priority priority{}; ///< of the most urgent one
    assigned_source source;
    buffer_state buffer = buffer_state::none;
    next_buffer next = next_buffer::unneeded;
    reserve_priority next_priority{};            ///< of what is wanted next
    std::size_t lost = 0;                        ///< asks in a row; lowered by bytes
    std::optional<error_info> refused;           ///< a buffer, the latest time
    pull_outcome failure = pull_outcome::failed; ///< what a failure is, if there is one
  };

  /// Bytes that are on their way.
  struct asked_bytes {
    object_id id;
    incarnation_id node;
    std::uint64_t next = 0; ///< raised by what arrives
  };

  using pull_map = std::unordered_map<object_id, pulled>;

  [[nodiscard]] object_id id_of(pull_number number) const;
  asked_bytes take_ask(ask_number ask);
  void locate(const object_id& id, const pulled& entry);
  void turn_from(const incarnation_id& node, std::vector<object_id> touched, error_type error,
                 pull_outcome outcome);
  bool turn_to_owner(const object_id& id, const incarnation_id& from);
  void owner_refused(const object_id& id, refusal_reason reason);
  void owner_lost(const object_id& id);
  void reserve(pulled& entry, reserve_priority priority);
  void found_whole(const object_id& id, pulled& entry);
  void give_buffer_back(pull_map::iterator position);
  void give_up(const object_id& id, pulled& entry, error_type error, pull_outcome outcome);
  void tidy(pull_map::iterator position);
  void run();
  template <class Message>
  void send_to_shard(const pulled& entry, Message message);
  [[nodiscard]] error_info explain(const pulled& entry, error_type error) const;

  void apply(const reserve_buffer& effect);
  void apply(const withdraw_buffer& effect);
  void apply(const return_buffer& effect);
  void apply(const ask_bytes& effect);
  void apply(const cancel_ask& effect);
  void apply(const close_lane& effect);
  void apply(const start_pull_timer& effect);
  void apply(const stop_pull_timer& effect);
  void apply(const report_pull_began& effect);
  void apply(const report_pull_stopped& effect);
  void apply(const report_arrived& effect);
  void apply(const report_pull_failed& effect);

  node_core& core_;
  transfers_actor::pointer self_;
  arriving_copies& arriving_;
  std::shared_ptr<transfer_port> port_;
  pull_table table_;
  port_reach reach_;
  pull_effects effects_;
  pull_map pulls_; ///< by the copy's own id
  std::unordered_map<ask_number, asked_bytes> asks_;
  std::uint64_t tokens_ = 0;
  std::uint64_t news_ = 0;
  actor_timers timers_;
  std::unordered_map<std::uint64_t, deadline> awaited_; ///< those of the table that run
};

} // namespace mobula
