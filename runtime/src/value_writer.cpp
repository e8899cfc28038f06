// Finds space for a value that is put: lent credit, a grant of its shard, or memory outside of the
// store for threads that must not wait. Whatever fails gives the space back.

#include "mobula/runtime/value_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "mobula/actors/messages/heap_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/space_request.hpp"
#include "mobula/runtime/reading.hpp"
#include "mobula/runtime/worker_thread.hpp"
#include "mobula/serialization/counted.hpp"
#include "mobula/store/shard/store_credit.hpp"
#include "mobula/store/shard/store_space.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula::internal {

namespace {

/// Larger buffers are not kept: a thread that once wrote a huge value should not hold its memory.
constexpr std::size_t max_kept_bytes = std::size_t{1} << 20U;

thread_local byte_buffer spare_buffer;
/// Static objects may put when the buffers of the thread that ends them are gone.
thread_local bool spare_ended = false;

struct spare_guard {
  ~spare_guard() {
    spare_ended = true;
  }
};

/// The thread's spare, or none at its end.
byte_buffer* spare() noexcept {
  // Made after the buffer, so that it goes before.
  static_cast<void>(spare_buffer.capacity());
  static thread_local spare_guard guard;
  return spare_ended ? nullptr : &spare_buffer;
}

} // namespace

// -- scratch_buffer -------------------------------------------------------------------------------

scratch_buffer::scratch_buffer() noexcept {
  // Moving out leaves an empty spare, so a nested scratch buffer is one of its own.
  if (auto* kept = spare())
    buffer_ = std::move(*kept);
  buffer_.clear();
}

scratch_buffer::~scratch_buffer() {
  if (auto* kept = spare(); kept != nullptr && buffer_.capacity() <= max_kept_bytes)
    *kept = std::move(buffer_);
}

// -- copy_draft -----------------------------------------------------------------------------------

copy_draft::copy_draft(node_core& core, std::uint64_t sequence, draft_size size,
                       const type_descriptor& type, when_full full)
  : core_(core), sequence_(sequence),
    copy_(new stored_copy(core.shard_of(sequence), size.size_bytes, size.metadata_bytes, type),
          false) {
  if (take_credit())
    origin_ = origin::credit;
  else if (!on_worker_thread() && ask_shard(full))
    origin_ = origin::grant;
  else
    copy_->memory =
      copy_memory::outside(size.size_bytes, core.heap_of_values().take_anyway(size.size_bytes));
}

/// Space that was lent may lie in pieces, or the system may have no pages for it: then the shard
/// has to help as if there was none.
bool copy_draft::take_credit() {
  auto pace = on_worker_thread() ? creator_pace::unbounded : creator_pace::bounded;
  auto& space = core_.space();
  if (!space.credit().take(copy_->space_bytes(), space.backlog(copy_->shard), pace))
    return false;
  if (auto block = core_.heap().allocate(copy_->arena_bytes())) {
    copy_->memory = copy_memory{*std::move(block)};
    return true;
  }
  core_.send_to_shard(copy_->shard, return_credit{copy_->space_bytes()});
  return false;
}

/// Returns whether the shard granted space. Throws if waiting ends without.
bool copy_draft::ask_shard(when_full full) {
  auto answer = std::make_shared<space_answer>();
  core_.send_to_shard(copy_->shard,
                      reserve_space{sequence_, copy_,
                                    full == when_full::wait ? patience::unlimited : patience::none,
                                    std::make_shared<space_request>(answer, core_)});
  error_info would_block{
    .type = error_type::would_block_forever,
    .message = fmt::format("no space for an object of {}, and nothing in the simulation is "
                           "under way that could make some",
                           counted(copy_->size_bytes, "byte")),
    .origin = core_.origin()};
  auto failure = answer->await(core_, would_block);
  if (failure && full == when_full::wait)
    throw object_error{*std::move(failure)};
  // A shard that was left behind by shutdown may still lend memory to the copy that it was told of.
  if (failure && core_.services_gone())
    copy_ = copy_pointer{
      new stored_copy(copy_->shard, copy_->size_bytes, copy_->metadata_bytes, copy_->value.type()),
      false};
  return !failure;
}

copy_draft::~copy_draft() {
  if (copy_ != nullptr)
    give_back();
}

void copy_draft::give_back() noexcept {
  // In a forked child the memory is the parent's, which goes on writing it.
  if (!core_.at_home())
    return;
  switch (origin_) {
    case origin::credit:
      // In this order: whoever gets the space next finds the memory.
      copy_->memory.reset();
      core_.send_to_shard(copy_->shard, return_credit{copy_->space_bytes()});
      break;
    case origin::grant:
      core_.send_to_shard(copy_->shard, abort_reserved{sequence_});
      break;
    case origin::outside:
      copy_->memory.reset();
      core_.heap_freed();
      break;
  }
}

void copy_draft::seal(const object_handle& entry, std::unique_ptr<object_extras> extras) {
  auto& copy = *copy_;
  copy.value.assign(copy.storage(), std::move(extras));
  if (origin_ == origin::outside && !core_.services_gone()) {
    core_.send_to_shard(copy.shard, move_into_store{std::exchange(copy_, nullptr), entry});
    return;
  }
  if (origin_ == origin::outside) {
    // A promise that outlived its node: the value stays where it is, for readers of this process.
    auto sealed = std::exchange(copy_, nullptr);
    copy.pins.reset();
    entry->seal_stored(copy);
    return;
  }
  copy.write_metadata();
  auto sealed = std::exchange(copy_, nullptr);
  // In this order: the shard may ask for the memory as soon as it knows of the copy, and it must
  // know of it before it can hear of the object's end.
  copy.pins.reset();
  if (origin_ == origin::credit)
    core_.send_to_shard(copy.shard, copy_sealed{sealed, entry});
  else
    core_.send_to_shard(copy.shard, seal_reserved{entry});
  if (entry->seal_stored(copy))
    return;
  // Only `free` ends an object before its creator does.
  MOBULA_ASSERT(entry->phase() == object_phase::freed);
  core_.send_to_shard(copy.shard, free_copy_of{entry});
}

// -- the process heap -----------------------------------------------------------------------------

heap_charge wait_for_heap(node_core& core, std::size_t size_bytes) {
  if (on_worker_thread())
    return core.heap_of_values().take_anyway(size_bytes);
  error_info would_block{
    .type = error_type::would_block_forever,
    .message = fmt::format("no space in the process heap for a value of {}, and nothing in the "
                           "simulation is under way that could make some",
                           counted(size_bytes, "byte")),
    .origin = core.origin()};
  for (;;) {
    // Somebody else may be faster when there is space.
    if (auto charge = core.heap_of_values().try_take(size_bytes))
      return charge;
    auto answer = std::make_shared<space_answer>();
    core.request_heap_space({size_bytes, std::make_shared<space_request>(answer, core)});
    if (auto failure = answer->await(core, would_block))
      throw object_error{*std::move(failure)};
  }
}

heap_charge space_anywhere(std::optional<copy_draft>& copy, node_core& core, std::uint64_t sequence,
                           draft_size size, const type_descriptor& type) {
  try {
    copy.emplace(core, sequence, size, type, when_full::wait);
    return {};
  } catch (const object_error& refusal) {
    if (refusal.type() != error_type::store_full && refusal.type() != error_type::out_of_disk_error)
      throw;
    auto charge = heap_for_movable(core, size.size_bytes);
    if (!charge)
      throw;
    return charge;
  }
}

// -- seal_value -----------------------------------------------------------------------------------

void require_no_cycle(const encode_scope& scope, const object_entry& entry) {
  if (std::ranges::find(scope.entries(), &entry) != scope.entries().end())
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("the value of object {} contains a reference to that "
                              "object, so it would never be freed",
                              to_string(entry.id())),
       .origin = entry.core().origin()}};
}

// -- await_space ----------------------------------------------------------------------------------

void await_space(object_entry& entry) {
  if (entry.phase() == object_phase::pending && !on_worker_thread()) {
    wait_handle<blocking_wait> group{new blocking_wait};
    object_entry* entries[] = {&entry};
    await(*group, entries, 1, wait_goal::ready, std::nullopt);
  }
  if (entry.has_failed())
    throw object_error{entry.failure()};
  if (entry.phase() == object_phase::pending && entry.core().closing())
    throw object_error{entry.core().shutting_down_error()};
}

} // namespace mobula::internal
