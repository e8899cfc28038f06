// What entries of a stripe have in the process heap, and how it leaves: under the stripe's mutex,
// so that readers and the end of entries need no message.

#include "mobula/actors/objects/heap_order.hpp"

namespace mobula {

namespace {

heap_part& part_of(stored_copy& copy, heap_content content) noexcept {
  return content == heap_content::value ? copy.value_part : copy.decoded_part;
}

} // namespace

// -- under the mutex, which the caller holds ------------------------------------------------------

void heap_order::note_value(object_entry& entry) noexcept {
  auto& copy = *entry.copy();
  if (!copy.in_heap.load(std::memory_order_relaxed))
    return;
  copy.value_part.entry = &entry;
  values_.made(copy.value_part, copy.size_bytes);
}

void heap_order::forget_value(stored_copy& copy) noexcept {
  values_.gone(copy.value_part);
}

void heap_order::value_moved(stored_copy& copy) noexcept {
  values_.gone(copy.value_part);
  decoded_.unpinned(copy.decoded_part);
}

// -- what comes, is used and ends -----------------------------------------------------------------

void heap_order::back_in_heap(object_entry& entry) noexcept {
  std::unique_lock guard{mutex_};
  auto& part = entry.copy()->value_part;
  if (part.state == heap_state::out)
    note_value(entry);
  else
    // The thread that brought the bytes may have been the last to have a pin.
    values_.unpinned(part);
}

void heap_order::note_decoded(object_entry& entry, std::size_t bytes) noexcept {
  auto* copy = entry.copy();
  if (copy == nullptr || copy->place != nullptr)
    return;
  std::unique_lock guard{mutex_};
  auto& part = copy->decoded_part;
  if (part.state == heap_state::leaving)
    return;
  part.entry = &entry;
  decoded_.made(part, bytes);
}

void heap_order::unpinned(stored_copy& copy) noexcept {
  std::unique_lock guard{mutex_};
  values_.unpinned(copy.value_part);
  decoded_.unpinned(copy.decoded_part);
}

void heap_order::forget(stored_copy& copy) noexcept {
  std::unique_lock guard{mutex_};
  values_.gone(copy.value_part);
  decoded_.gone(copy.decoded_part);
}

// -- what leaves, as the heap's keeper asks -------------------------------------------------------

std::optional<heap_victim> heap_order::take_victim(heap_content content) {
  std::unique_lock guard{mutex_};
  auto& table = table_of(content);
  while (auto* item = table.oldest()) {
    auto& part = static_cast<heap_part&>(*item);
    if (!may_leave(part, content))
      continue;
    // An entry without handles is about to be freed.
    if (!part.entry->try_add_handle()) {
      table.gone(part);
      continue;
    }
    table.leave(part);
    return heap_victim{object_handle::adopt(part.entry), content, part.size_bytes};
  }
  return std::nullopt;
}

/// Returns whether the oldest part may leave; else it is not the oldest any more. A value that was
/// used is spared once: readers leave a stamp, which is wiped away here.
bool heap_order::may_leave(heap_part& part, heap_content content) {
  auto& table = table_of(content);
  auto& copy = *part.entry->copy();
  if (content == heap_content::decoded && !copy.value.has_decoded()) {
    table.gone(part);
    return false;
  }
  // A move of the bytes closes the copy, and so does the drop of a decoded value: one after the
  // other. It waits as if it was pinned, until the attempt has ended.
  if (content == heap_content::decoded && copy.value_part.state == heap_state::leaving) {
    table.found_pinned(part);
    return false;
  }
  if (copy.pins.look() == pin_state::pinned) {
    table.found_pinned(part);
    return false;
  }
  if (content == heap_content::value && copy.pins.last_use() != use_stamp{}
      && !table.was_spared(part)) {
    copy.pins.touch(use_stamp{});
    table.spare(part);
    return false;
  }
  return true;
}

void heap_order::leave_ended(object_entry& entry, heap_content content,
                             heap_leave_end end) noexcept {
  std::unique_lock guard{mutex_};
  auto& copy = *entry.copy();
  auto& part = part_of(copy, content);
  auto& table = table_of(content);
  if (content == heap_content::value)
    decoded_.unpinned(copy.decoded_part);
  switch (end) {
    case heap_leave_end::left:
    case heap_leave_end::kept:
      table.gone(part);
      // A reader may have decoded it anew meanwhile.
      if (content == heap_content::decoded && copy.value.has_decoded())
        table.made(part, part.size_bytes);
      return;
    case heap_leave_end::pinned:
      return table.stays_pinned(part);
    case heap_leave_end::refused:
      return table.stays_refused(part);
  }
}

void heap_order::retry_refused() noexcept {
  std::unique_lock guard{mutex_};
  values_.retry_refused();
}

void heap_order::begin_spell() noexcept {
  std::unique_lock guard{mutex_};
  values_.begin_spell();
  decoded_.begin_spell();
}

void heap_order::check_invariants() const {
  std::unique_lock guard{mutex_};
  values_.check_invariants();
  decoded_.check_invariants();
}

} // namespace mobula
