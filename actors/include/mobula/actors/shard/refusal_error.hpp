#pragma once

#include "mobula/actors/node/node_options.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/store/arena/shared_heap.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/spill/disk_failures.hpp"

namespace mobula {

/// Says why the store refuses a request: what was asked, what the space is used for at this moment,
/// and what would help. `disks` is what they said last, if they failed. It is the error that
/// readers and creators get.
error_info refusal_error(const refuse_request& refused, const node_options& options,
                         const shared_heap& heap, const disk_trouble& disks);

/// The same for an object that cannot be in any store of this size.
error_info larger_than_store(const node_options& options, const object_id& id,
                             std::uint64_t size_bytes);

} // namespace mobula
