#pragma once

#include <memory>
#include <unordered_map>

#include "mobula/actors/node_core.hpp"
#include "mobula/actors/transfers.hpp"
#include "mobula/actors/wait_group.hpp"
#include "mobula/store/push_table.hpp"

namespace mobula {

/// Watches one own object that others ask for while it is on disk.
class served_watch;

/// The part of the transfers that sends values: feeds the push table with what the port says, and
/// carries its effects out. What is on disk is restored first, as for any reader.
///
/// | field      | raised by                          | lowered by                              |
/// |------------|------------------------------------|-----------------------------------------|
/// | waiting_   | `find_served`, of what is on disk  | `ready`, `release_served`               |
/// | values_    | `find_served`, of what is readable | `release_served`                        |
///
/// *Bounds*: both by the objects of the table, and these by its asks.
class pusher {
public:
  explicit pusher(node_core& core);
  ~pusher();

  pusher(const pusher&) = delete;
  pusher& operator=(const pusher&) = delete;

  void open(std::shared_ptr<transfer_port> port, std::shared_ptr<served_values> values);

  /// REQUIRES: the port is closed.
  void close();

  // -- events -------------------------------------------------------------------------------------

  void source_left(const incarnation_id& node);
  void received(const reader_came& news);
  void received(const reader_went& news);
  void received(const reader_asked& news);
  void received(const reader_canceled& news);
  void received(const chunk_sent& news);
  void received(const chunk_not_sent& news);

  /// The watched object is in memory, or will not come there.
  void ready(const object_id& id);

  // -- properties ---------------------------------------------------------------------------------

  void add_figures(node_stats& stats) const;
  void check_invariants() const;

private:
  struct watched_object {
    object_handle entry;
    wait_handle<served_watch> watch; ///< ends before the handle
  };

  void run();
  void serve(const object_id& id, pinned_value pin);
  void find(const object_id& id, object_handle entry);
  void apply(const find_served& effect);
  void apply(const release_served& effect);
  void apply(const send_chunk& effect);
  void apply(const send_refusal& effect);

  node_core& core_;
  std::shared_ptr<transfer_port> port_;
  std::shared_ptr<served_values> values_;
  push_table table_;
  push_effects effects_;
  std::unordered_map<object_id, watched_object> waiting_;
};

} // namespace mobula
