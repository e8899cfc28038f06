#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_objects.hpp"

namespace mobula {

/// The requests to a store that wait, how they end, and which shard is told.
class store_requests {
public:
  /// REQUIRES: the objects and the counters outlive this.
  store_requests(std::uint32_t shards, const store_objects& objects, store_table_stats& counters)
    : shards_(shards), objects_(objects), counters_(counters) {
    // nop
  }

  store_requests(const store_requests&) = delete;
  store_requests& operator=(const store_requests&) = delete;

  /// Has the object's shard carry out an effect.
  void tell(store_effects& effects, const object_id& id, shard_effect effect) const;

  /// Has the first shard carry out what is about no object.
  static void tell_first(store_effects& effects, shard_effect effect);

  /// The request waits for the object. REQUIRES: it does not yet.
  void add(request_token token, const object_id& id);

  /// Returns what the request waits for; null if it does not.
  [[nodiscard]] const object_id* find(request_token token) const;

  void remove(request_token token) {
    waiting_.erase(token);
  }

  void refuse(request_token token, const object_id& id, refusal error, std::size_t size_bytes,
              store_effects& effects);

  void refuse_readers(store_object& entry, refusal error, store_effects& effects);

  void serve_readers(store_object& entry, store_effects& effects);

  [[nodiscard]] std::size_t size() const noexcept {
    return waiting_.size();
  }

private:
  std::uint32_t shards_;
  const store_objects& objects_;
  store_table_stats& counters_;
  std::unordered_map<request_token, object_id> waiting_;
};

} // namespace mobula
