#pragma once

#include <cstdint>

#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/store_objects.hpp"
#include "mobula/store/shard/store_queue.hpp"
#include "mobula/store/shard/store_relief.hpp"
#include "mobula/store/shard/store_stalls.hpp"

namespace mobula {

/// How a store is doing as a whole: whether it runs, and how short of space it is. The first shard
/// is told when that changes.
class store_status {
public:
  /// REQUIRES: all outlive this.
  store_status(const store_objects& objects, const store_queue& queue, const store_relief& relief,
               const store_stalls& stalls)
    : objects_(objects), queue_(queue), relief_(relief), stalls_(stalls) {
    // nop
  }

  store_status(const store_status&) = delete;
  store_status& operator=(const store_status&) = delete;

  /// The store takes nothing new from now on. REQUIRES: it runs.
  void begin_shutdown();

  /// Tells of what the event has changed, and once, after `begin_shutdown`, that nothing is left.
  void tell_changes(store_effects& effects);

  [[nodiscard]] bool is_running() const noexcept {
    return phase_ == phase::running;
  }

  [[nodiscard]] pressure_level pressure() const noexcept {
    return pressure_;
  }

private:
  enum class phase : std::uint8_t { running, shutting_down, drained };

  [[nodiscard]] pressure_level measure() const;
  [[nodiscard]] bool is_empty() const;

  const store_objects& objects_;
  const store_queue& queue_;
  const store_relief& relief_;
  const store_stalls& stalls_;
  phase phase_ = phase::running;
  pressure_level pressure_ = pressure_level::calm; ///< as it was told
};

} // namespace mobula
