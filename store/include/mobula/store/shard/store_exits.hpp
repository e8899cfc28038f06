#pragma once

#include "mobula/store/shard/heap_pieces.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_objects.hpp"
#include "mobula/store/shard/store_queue.hpp"
#include "mobula/store/shard/store_relief.hpp"
#include "mobula/store/shard/store_requests.hpp"
#include "mobula/store/shard/store_stalls.hpp"

namespace mobula {

/// How objects leave the memory of a store. Whatever frees memory ends a stall, and is heard of by
/// all who wait for that.
class store_exits {
public:
  /// REQUIRES: all outlive this.
  store_exits(store_objects& objects, heap_pieces& pieces, store_requests& requests,
              store_queue& queue, store_relief& relief, store_stalls& stalls,
              store_table_stats& counters)
    : objects_(objects), pieces_(pieces), requests_(requests), queue_(queue), relief_(relief),
      stalls_(stalls), counters_(counters) {
    // nop
  }

  store_exits(const store_exits&) = delete;
  store_exits& operator=(const store_exits&) = delete;

  /// Nobody writes, reads or asks about the copy any more: it stands in the order of last use, or
  /// goes if it was released meanwhile.
  void become_idle(store_object& entry, store_effects& effects);

  /// Its owner lets go of the object. REQUIRES: it was not released before.
  void release(store_object& entry, store_effects& effects);

  /// The copy's memory was asked for, and is free: it is gone, or on disk only.
  void give_away_space(store_object& entry, store_effects& effects);

  /// The memory is free, and what is left of the object is on disk.
  void unload(store_object& entry, free_reason reason, store_effects& effects);

  /// The memory is free, and nothing is left of the object.
  void erase(store_object& entry, free_reason reason, store_effects& effects);

private:
  void give_back(const store_object& entry, free_reason reason, store_effects& effects);

  store_objects& objects_;
  heap_pieces& pieces_;
  store_requests& requests_;
  store_queue& queue_;
  store_relief& relief_;
  store_stalls& stalls_;
  store_table_stats& counters_;
};

} // namespace mobula
