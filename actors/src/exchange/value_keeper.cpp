// Keeps values of a node that leaves for those here who refer to them: waits for each, pins what
// could go away again, and tells the owner which are safe.

#include "mobula/actors/exchange/value_keeper.hpp"

#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"

namespace mobula {

value_keeper::value_keeper(node_core& core) : core_(core) {
  // nop
}

value_keeper::~value_keeper() = default;

void value_keeper::keep(const incarnation_id& owner, std::span<const std::uint64_t> sequences) {
  for (auto sequence : sequences)
    keep_one({.owner = owner, .sequence = sequence});
}

void value_keeper::keep_one(const object_id& object) {
  auto entry = core_.gateway().find_borrowed(object);
  if (!entry || keeps(*entry.get())) {
    answers_[object.owner].kept.push_back(object.sequence);
    return;
  }
  if (watches_.contains(object))
    return;
  if (auto pin = entry->try_pin(); pin || entry->has_failed())
    return settle(*entry.get(), std::move(pin));
  // It may have been refused for want of space that there is now.
  waiting_readers{*entry.get()}.forget_refusal();
  auto tell = [core = core_pointer{&core_}, object] {
    if (node_core::services_use use{*core})
      caf::anon_send(core->cluster(), keep_ready{object});
  };
  watches_.emplace(object, entry_watch{std::move(entry), std::move(tell)});
}

void value_keeper::ready(const object_id& object) {
  auto ended = watches_.extract(object);
  if (ended.empty())
    return;
  auto& watch = ended.mapped();
  const auto& entry = watch.entry();
  auto pin = watch.end().pin;
  // A small value comes without one.
  settle(*entry.get(), pin ? std::move(pin) : entry->try_pin());
}

/// Without a pin there will be no value. What is small needs none: it is part of the entry.
void value_keeper::settle(object_entry& entry, pinned_value pin) {
  auto id = entry.id();
  auto& answer = answers_[id.owner];
  (pin ? answer.kept : answer.lost).push_back(id.sequence);
  if (pin && pin.stored())
    kept_.emplace(std::pair{id, &entry}, std::move(pin));
}

void value_keeper::stop() {
  answers_.clear();
  kept_.clear();
  watches_.clear();
}

void value_keeper::forget(const object_entry& entry) {
  kept_.erase({entry.id(), &entry});
}

} // namespace mobula
