#pragma once

#include <cstddef>

#include "mobula/store/shard/disk_readiness.hpp"
#include "mobula/store/shard/heap_pieces.hpp"
#include "mobula/store/shard/store_config.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_objects.hpp"
#include "mobula/store/shard/store_requests.hpp"

namespace mobula {

/// Those who wait for space in a store: grants it in order of arrival. While the oldest does not
/// fit, younger ones that do may overtake it, until they have taken as many bytes as it wants
/// itself.
class store_queue {
public:
  /// REQUIRES: all but the configuration outlive this.
  store_queue(const store_config& config, store_objects& objects, heap_pieces& pieces,
              store_requests& requests, store_table_stats& counters)
    : config_(config), objects_(objects), pieces_(pieces), requests_(requests),
      counters_(counters) {
    // nop
  }

  store_queue(const store_queue&) = delete;
  store_queue& operator=(const store_queue&) = delete;

  [[nodiscard]] bool empty() const noexcept {
    return objects_.places().queue().empty();
  }

  /// Returns whether so many bytes can be granted now.
  [[nodiscard]] bool fits(std::size_t size_bytes) const noexcept {
    return size_bytes <= objects_.free_bytes() && !pieces_.has_none(size_bytes);
  }

  /// Grants a create, or has it wait; refuses it if too many wait. Returns whether it did not.
  /// REQUIRES: the object is new.
  bool create(request_token token, const object_id& id, std::size_t size_bytes, copy_kind kind,
              store_effects& effects);

  /// Grants space for what is on disk only, or has it wait.
  void start_restore(store_object& entry, store_effects& effects);

  /// The heap had no extent for what was granted: it waits on.
  void take_back(store_object& entry);

  /// Grants what can be granted.
  void grant_waiting(store_effects& effects);

  /// REQUIRES: the object is in the queue.
  void refuse(store_object& entry, refusal error, store_effects& effects);

private:
  void grant(store_object& entry, store_effects& effects);
  void let_overtake(store_object& oldest, store_effects& effects);

  store_config config_;
  store_objects& objects_;
  heap_pieces& pieces_;
  store_requests& requests_;
  store_table_stats& counters_;
};

} // namespace mobula
