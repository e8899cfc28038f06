#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "arriving_copies.hpp"
#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/entry_watch.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/actors/transfer/served_values.hpp"
#include "mobula/store/transfer/push_table.hpp"

namespace mobula {

/// The part of the transfers that sends values: feeds the push table with what the port says, and
/// carries its effects out. What is on disk is sent from its file, and restored only if it cannot
/// be read there: then the shard finds out whether it is lost.
///
/// Values of other nodes are sent on from the copies that this one has pulled, and from those that
/// are still arriving: what is there already, and the rest as it comes. A request for one whose
/// pull waits for its buffer waits with it. What was pulled and evicted is not pulled again for
/// others.
///
/// | field      | raised by                            | lowered by                     |
/// |------------|--------------------------------------|--------------------------------|
/// | locating_  | `find_served`, of what is on disk    | `record_found`                 |
/// | waiting_   | its record's failure                 | `ready`, `release_served`      |
/// | values_    | `find_served`, of what is readable   | `release_served`               |
/// | parked_    | `find_served`, of what has no buffer | `pull_settled`                 |
/// | served_as_ | `find_served`, of what is arriving   | `release_served`               |
///
/// *Bounds*: those of `find_served` by the objects of the table, and these by its asks.
class pusher final : public arrival_listener {
public:
  /// REQUIRES: `arriving` outlives this; it has no other listener.
  pusher(node_core& core, arriving_copies& arriving);

  pusher(const pusher&) = delete;
  pusher& operator=(const pusher&) = delete;

  void open(std::shared_ptr<transfer_port> port, std::shared_ptr<served_values> values);

  /// REQUIRES: the port is closed.
  void close();

  // -- events -------------------------------------------------------------------------------------

  void source_left(const incarnation_id& node);
  void received(const reader_connected& news);
  void received(const reader_disconnected& news);
  void received(const reader_asked& news);
  void received(const reader_canceled& news);
  void received(const chunk_sent& news);
  void received(const chunk_not_sent& news);

  void record_found(const mobula::record_found& answer);

  /// The watched object is in memory, or will not come there.
  void ready(const served_ready& news);

  // -- copies that arrive -------------------------------------------------------------------------

  void pull_settled(const object_id& object) override;
  void copy_grew(const object_id& object, pull_number number, byte_range range) override;
  void copy_stopped(const object_id& object, pull_number number) override;

  // -- properties ---------------------------------------------------------------------------------

  void add_figures(node_stats& stats) const;
  void check_invariants() const;

private:
  void run();
  void serve(const object_id& id, pinned_value pin);
  void serve(const object_id& id, pull_number number);
  void find(const object_id& id, object_handle entry);
  void restore(const object_id& id, object_handle entry);
  void find_pulled(const object_id& id);
  [[nodiscard]] bool is_served_as(const object_id& object, pull_number number) const;
  void apply(const find_served& effect);
  void apply(const release_served& effect);
  void apply(const send_chunk& effect);
  void apply(const send_refusal& effect);

  node_core& core_;
  arriving_copies& arriving_;
  std::shared_ptr<transfer_port> port_;
  std::shared_ptr<served_values> values_;
  push_table table_;
  push_effects effects_;
  std::unordered_map<object_id, object_handle> locating_;
  std::unordered_map<object_id, entry_watch> waiting_;
  std::optional<object_id> unreadable_; ///< let go of by the effect before this one
  std::unordered_set<object_id> parked_;
  std::unordered_map<object_id, pull_number> served_as_;
};

} // namespace mobula
