#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/copy_pin.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/actors/transfer/served_values.hpp"
#include "mobula/actors/objects/entry_watch.hpp"
#include "mobula/actors/transfer/transfers.hpp"
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
/// | field      | raised by                            | lowered by                  |
/// |------------|--------------------------------------|-----------------------------|
/// | locating_  | `find_served`, of what is on disk    | `record_found`              |
/// | waiting_   | its record's failure                 | `ready`, `release_served`   |
/// | values_    | `find_served`, of what is readable   | `release_served`            |
/// | arriving_  | `copy_expected`                      | `copy_ended`, `copy_sealed` |
/// | parked_    | `find_served`, of what has no buffer | `copy_began`, `copy_ended`  |
/// | served_as_ | `find_served`, of what is arriving   | `release_served`            |
///
/// *Bounds*: those of `find_served` by the objects of the table, and these by its asks; `arriving_`
/// by the pulls.
class pusher {
public:
  pusher(node_core& core, transfers_actor::pointer self);

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

  // -- pulls --------------------------------------------------------------------------------------

  /// A value is to be pulled into `copy`, perhaps anew.
  void copy_expected(const object_id& object, const copy_pointer& copy);

  /// It has got its buffer.
  void copy_began(pull_number number);

  void copy_grew(pull_number number, byte_range range);

  /// Its buffer, if it had any, is to be given back.
  void copy_stopped(pull_number number);

  /// Returns whether somebody reads from the buffer; `buffer_let_go` says when that ends.
  [[nodiscard]] bool reads_buffer(pull_number number) const;

  /// It is whole and sealed. The pin lives on as long as the buffer is read from.
  void copy_sealed(pull_number number, std::shared_ptr<copy_pin> pin);

  /// There will be no copy. Ignored if none is expected.
  void copy_ended(pull_number number);

  // -- properties ---------------------------------------------------------------------------------

  void add_figures(node_stats& stats) const;
  void check_invariants() const;

private:
  /// The memory of a pull that others read from, and all that keeps it. Its end is told.
  class served_buffer;

  struct arriving_copy {
    object_id object;
    copy_pointer copy;
    byte_ranges here;                    ///< empty without a buffer
    std::weak_ptr<served_buffer> buffer; ///< while somebody reads from it
    bool has_buffer = false;
  };

  void run();
  void serve(const object_id& id, pinned_value pin);
  void serve(arriving_copy& from);
  void find(const object_id& id, object_handle entry);
  void restore(const object_id& id, object_handle entry);
  void find_pulled(const object_id& id);
  void answer_parked(const object_id& object);
  void apply(const find_served& effect);
  void apply(const release_served& effect);
  void apply(const send_chunk& effect);
  void apply(const send_refusal& effect);

  node_core& core_;
  std::shared_ptr<transfer_port> port_;
  std::shared_ptr<served_values> values_;
  push_table table_;
  push_effects effects_;
  transfers_actor::pointer self_;
  std::unordered_map<object_id, object_handle> locating_;
  std::unordered_map<object_id, entry_watch> waiting_;
  std::optional<object_id> unreadable_; ///< let go of by the effect before this one
  std::map<pull_number, arriving_copy> arriving_;
  std::set<std::pair<object_id, pull_number>> arriving_by_object_;
  std::unordered_set<object_id> parked_;
  std::unordered_map<object_id, pull_number> served_as_;
};

} // namespace mobula
