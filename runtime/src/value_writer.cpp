#include "mobula/runtime/value_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "mobula/runtime/reading.hpp"
#include "mobula/runtime/worker_thread.hpp"
#include "mobula/store/assertion.hpp"

namespace mobula {

namespace {

/// Larger buffers are not kept: a thread that once wrote a huge value should not hold its memory.
constexpr std::size_t most_kept_bytes = std::size_t{1} << 20U;

thread_local byte_buffer spare_buffer;

} // namespace

// -- scratch_buffer
// ---------------------------------------------------------------------------------

scratch_buffer::scratch_buffer() noexcept : buffer_(std::move(spare_buffer)) {
  // Moving out leaves an empty spare, so a nested scratch buffer is one of its own.
  buffer_.clear();
}

scratch_buffer::~scratch_buffer() {
  if (buffer_.capacity() <= most_kept_bytes)
    spare_buffer = std::move(buffer_);
}

// -- copy_draft
// -------------------------------------------------------------------------------------

copy_draft::copy_draft(node_core& core, std::uint64_t sequence, std::size_t size_bytes,
                       const type_descriptor& type)
  : core_(core), copy_(new stored_copy(core.shard_of(sequence), size_bytes, type), false),
    has_credit_(core.front(copy_->shard).take(size_bytes)) {
  // nop
}

copy_draft::~copy_draft() {
  if (copy_ != nullptr && has_credit_)
    core_.send_to_shard(copy_->shard, return_credit{copy_->size_bytes});
}

void copy_draft::seal(const object_handle& entry, std::unique_ptr<object_extras> extras) {
  auto& copy = *copy_;
  copy.value.assign(copy.storage(), std::move(extras));
  auto sealed = std::exchange(copy_, nullptr);
  if (!has_credit_) {
    core_.send_to_shard(copy.shard, admit_copy{std::move(sealed), entry});
    return;
  }
  // In this order: the shard may ask for the memory as soon as it knows of the copy, and it must
  // know of it before it can hear of the object's end.
  copy.pins.reset();
  core_.send_to_shard(copy.shard, adopt_copy{sealed, entry});
  if (!entry->seal_stored(copy))
    MOBULA_ASSERT(!"the entry of a new copy was sealed by somebody else");
}

// -- seal_value
// -------------------------------------------------------------------------------------

void require_no_cycle(const encode_scope& scope, const object_entry& entry) {
  if (std::ranges::find(scope.entries(), &entry) != scope.entries().end())
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("the value of object {} contains a reference to that "
                              "object, so it would never be freed",
                              to_string(entry.id())),
       .origin = entry.core().origin()}};
}

// -- await_room
// -------------------------------------------------------------------------------------

void await_room(object_entry& entry) {
  if (entry.phase() == object_phase::pending && !on_worker_thread()) {
    wait_handle<blocking_wait> group{new blocking_wait};
    object_entry* entries[] = {&entry};
    await(*group, entries, 1, wait_goal::ready, std::nullopt);
  }
  if (entry.phase() == object_phase::failed)
    throw object_error{entry.failure()};
  if (entry.phase() == object_phase::pending && entry.core().closing())
    throw object_error{entry.core().shutting_down_error()};
}

} // namespace mobula
