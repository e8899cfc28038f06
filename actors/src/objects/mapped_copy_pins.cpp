// Reads another node's value where it is: the first view here pins it in its owner's arena, the
// last one unpins it. Bytes that came in a message are read in this process until the heap gives
// them up.

#include "mobula/actors/objects/mapped_copy.hpp"

#include <utility>

#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

mapped_copy::~mapped_copy() {
  unpin_slot();
}

void mapped_copy::open(stored_copy& copy) noexcept {
  std::unique_lock guard{mutex_};
  open_locked(copy);
}

/// REQUIRES: the mutex is held, as for all below that do not take it; the copy is closed, and its
/// value has its bytes.
void mapped_copy::open_locked(stored_copy& copy) noexcept {
  copy.pins.reset();
  // It cannot fail: only this closes the word.
  static_cast<void>(copy.pins.try_pin());
  static_cast<void>(copy.pins.look());
}

bool mapped_copy::pin(stored_copy& copy) {
  std::unique_lock guard{mutex_};
  return pin_locked(copy);
}

bool mapped_copy::pin_locked(stored_copy& copy) {
  if (copy.pins.try_pin())
    return true;
  if (arena_ == nullptr)
    return false;
  auto found = arena_->find(id_);
  if (found.to_report)
    host_.report_unpinned_elsewhere(*found.to_report);
  if (!found.object)
    return false;
  slot_ = found.object->slot;
  if (found.object->data.size() != copy.size_bytes) {
    unpin_slot();
    return false;
  }
  copy.value.rebind(found.object->data);
  open_locked(copy);
  return true;
}

void mapped_copy::settle(stored_copy& copy) noexcept {
  std::unique_ptr<decoded_value> decoded;
  std::optional<table_index> slot;
  {
    std::unique_lock guard{mutex_};
    // Bytes that came in a message stay. A report of a reader of such may also be late, and find
    // the word closed.
    if (bytes_ != nullptr || !copy.pins.try_close())
      return;
    decoded = copy.value.take_decoded();
    copy.value.rebind({});
    slot = std::exchange(slot_, std::nullopt);
  }
  // It may look at the bytes, which go last.
  decoded.reset();
  host_.heap_freed();
  if (slot && arena_->unpin(*slot) == unpin_result::tell_shard)
    host_.report_unpinned_elsewhere(id_);
}

bool mapped_copy::keep(stored_copy& copy) {
  std::unique_lock guard{mutex_};
  return pin_locked(copy);
}

void mapped_copy::move_here(stored_copy& copy, std::unique_ptr<std::byte[]> bytes,
                            heap_charge charge) {
  std::unique_lock guard{mutex_};
  if (copy.pins.try_pin()) {
    guard.unlock();
    bytes.reset();
    charge = heap_charge{};
    host_.heap_freed();
    if (copy.pins.unpin() == unpin_result::tell_shard)
      settle(copy);
    return;
  }
  bytes_ = std::move(bytes);
  charge_ = std::move(charge);
  copy.value.rebind({bytes_.get(), copy.size_bytes});
  copy.in_heap.store(true, std::memory_order_relaxed);
  copy.pins.reset();
}

bool mapped_copy::drop_here(stored_copy& copy) noexcept {
  std::unique_ptr<std::byte[]> bytes;
  std::unique_ptr<decoded_value> decoded; // goes first: it may look at the bytes
  std::unique_lock guard{mutex_};
  if (bytes_ == nullptr || !copy.pins.try_close())
    return false;
  copy.in_heap.store(false, std::memory_order_relaxed);
  decoded = copy.value.take_decoded();
  copy.value.rebind({});
  bytes = std::move(bytes_);
  charge_ = heap_charge{};
  return true;
}

void mapped_copy::unpin_slot() noexcept {
  if (auto slot = std::exchange(slot_, std::nullopt))
    if (arena_->unpin(*slot) == unpin_result::tell_shard)
      host_.report_unpinned_elsewhere(id_);
}

} // namespace mobula
