// Pins a copy that was pulled, for a service that goes on reading it, and reports the last pin to
// its shard, which may wait for that.

#include "mobula/actors/objects/copy_pin.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

copy_pin::copy_pin(object_host& host, copy_pointer copy) : host_(&host), copy_(std::move(copy)) {
  auto pinned = copy_->pins.try_pin();
  MOBULA_ASSERT(pinned);
}

copy_pin::~copy_pin() {
  if (copy_->pins.unpin() == unpin_result::tell_shard)
    host_->copy_unpinned(copy_->shard, static_cast<std::uint64_t>(copy_->pulled_as));
}

} // namespace mobula
