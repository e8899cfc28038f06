// What each event of a store ends with, and what becomes of an object whose memory is free.

#include <utility>

#include "mobula/store/shard/store_table.hpp"

namespace mobula {

/// Every event ends here: the table is settled when nothing more can be granted or set going.
void store_table::settle(store_effects& effects) {
  queue_.grant_waiting(effects);
  stalls_.refuse_overdue(effects);
  if (queue_.empty())
    pieces_.nobody_waits();
  relief_.relieve(effects);
  stalls_.watch(effects);
  tell_state(effects);
}

void store_table::tell_state(store_effects& effects) {
  auto level = stalls_.is_stalled()                      ? pressure_level::stalled
               : !queue_.empty() && !relief_.recalling() ? pressure_level::waiting
               : relief_.relieving()                     ? pressure_level::relieving
                                                         : pressure_level::calm;
  if (std::exchange(level_, level) != level)
    store_requests::tell_first(effects, report_pressure{level});
  if (shutting_down_ && !drained_ && objects_.all().empty() && objects_.lent_bytes() == 0
      && !relief_.recalling()) {
    drained_ = true;
    store_requests::tell_first(effects, report_store_drained{});
  }
}

void store_table::become_idle(store_object& entry, store_effects& effects) {
  if (entry.released)
    return relief_.ask_release(entry, effects);
  objects_.move(entry, store_place::idle);
  requests_.serve_readers(entry, effects);
}

/// What is left of the object is on disk.
void store_table::free_memory(store_object& entry, free_reason reason, store_effects& effects) {
  give_back(entry, reason, effects);
  entry.known_use = use_stamp{};
  entry.unpin_hint = false;
  objects_.move(entry, store_place::spilled);
}

void store_table::free_and_erase(store_object& entry, free_reason reason, store_effects& effects) {
  give_back(entry, reason, effects);
  objects_.erase(entry);
}

void store_table::give_back(const store_object& entry, free_reason reason, store_effects& effects) {
  requests_.tell(effects, entry.id, free_copy{entry.id, entry.size_bytes, reason});
  relief_.freed(entry.size_bytes);
  pieces_.memory_came_back();
  stalls_.end(effects);
}

} // namespace mobula
