// Spreads threads over the stripes of their nodes.

#include "mobula/actors/objects/object_host.hpp"

namespace mobula {

std::uint32_t object_host::stripe_of_thread() noexcept {
  static std::atomic<std::uint32_t> next = 0;
  thread_local const auto mine = next.fetch_add(1, std::memory_order_relaxed) % stripe_count;
  return mine;
}

} // namespace mobula
