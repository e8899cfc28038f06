// The order in which pulls get buffers and ask for bytes, and what they take together.

#include "mobula/store/transfer/pull_lists.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

void pull_lists::enlist(const object_id& id, const pull_state& entry) {
  if (entry.where != pull_phase::waiting)
    admitted_.emplace(entry.place(), id);
  else if (entry.has_copies())
    (entry.held ? held_ : queue_).emplace(entry.place(), id);
}

void pull_lists::delist(const pull_state& entry) {
  auto place = entry.place();
  queue_.erase(place);
  held_.erase(place);
  hungry_.erase(place);
  admitted_.erase(place);
}

std::pair<pull_place, object_id> pull_lists::take_hungry() {
  std::pair<pull_place, object_id> result = *hungry_.begin();
  hungry_.erase(hungry_.begin());
  return result;
}

pull_lists::list pull_lists::release_held() {
  auto released = std::exchange(held_, {});
  queue_.insert(released.begin(), released.end());
  return released;
}

void pull_lists::recount(pull_state& entry, prospects ahead) {
  if (std::exchange(entry.running, false)) {
    --running_;
    running_bytes_ -= entry.running_bytes;
  }
  buffers_ -= entry.counted_buffer ? 1 : 0;
  entry.counted_buffer = entry.has_buffer();
  buffers_ += entry.counted_buffer ? 1 : 0;
  if (entry.where == pull_phase::waiting || ahead == prospects::none)
    return;
  entry.running = true;
  entry.running_bytes = entry.buffer_bytes;
  ++running_;
  running_bytes_ += entry.buffer_bytes;
}

void pull_lists::check(const pull_state& entry) const {
  auto place = entry.place();
  auto waiting = entry.where == pull_phase::waiting;
  MOBULA_ASSERT(queue_.contains(place) == (waiting && entry.has_copies() && !entry.held));
  MOBULA_ASSERT(held_.contains(place) == (waiting && entry.has_copies() && entry.held));
  MOBULA_ASSERT(admitted_.contains(place) == !waiting);
  MOBULA_ASSERT(!hungry_.contains(place) || entry.where == pull_phase::active);
}

} // namespace mobula
