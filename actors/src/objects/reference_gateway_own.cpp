// What the gateway does with own entries that other nodes may name: handles that the tables keep,
// and contents that become visible with their containers, on other nodes of the process, too.

#include <utility>

#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"

namespace mobula {

object_handle reference_gateway::find_own(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  auto* known = own_.find(sequence);
  if (known == nullptr)
    return {};
  // Others may name it, so somebody holds the entry.
  known->add_handle();
  return object_handle::adopt(known);
}

std::uint32_t reference_gateway::kept_handles(std::uint64_t sequence) const {
  std::unique_lock guard{mutex_};
  return own_.kept_handles(sequence);
}

kept_handle reference_gateway::keep_own(std::uint64_t sequence) {
  std::unique_lock guard{mutex_};
  auto* known = own_.keep(sequence);
  if (known == nullptr)
    return kept_handle::none;
  known->add_handle();
  return kept_handle_of(*known);
}

void reference_gateway::release(std::span<const kept_handle> handles) {
  std::vector<object_entry*> hidden;
  {
    std::unique_lock guard{mutex_};
    for (auto handle : handles) {
      auto& entry = entry_of(handle);
      if (entry.kind() == entry_kind::own)
        own_.let_go(entry, hidden);
    }
  }
  // The handles that go below still hold the containers, and these what they contain.
  hide_all(std::move(hidden));
  for (auto handle : handles)
    entry_of(handle).drop_handle();
}

void reference_gateway::show(const object_entry& container,
                             std::span<object_entry* const> contents) {
  {
    std::unique_lock guard{mutex_};
    if (!own_.lacks_contents(container.sequence()))
      return;
  }
  // Contents may be on other nodes of the process, so no mutex is held here. The record stays:
  // only the cluster actor, which is here, lowers it.
  std::vector<object_entry*> shown;
  shown.reserve(contents.size());
  try {
    for (auto* entry : contents)
      if (entry->kind() == entry_kind::own && entry->host().gateway().add_shown(*entry))
        shown.push_back(entry);
  } catch (...) {
    hide_all(std::move(shown));
    throw;
  }
  std::unique_lock guard{mutex_};
  own_.set_contents(container.sequence(), std::move(shown));
}

bool reference_gateway::add_shown(object_entry& entry) {
  std::unique_lock guard{mutex_};
  if (state_ != state::open)
    return false;
  own_.show(entry);
  return true;
}

void reference_gateway::drop_shown(object_entry& entry, std::vector<object_entry*>& next) {
  std::unique_lock guard{mutex_};
  own_.hide(entry, next);
}

/// What these showed is not to be named any more, nor what that showed, and so on. No mutex is
/// held. REQUIRES: somebody holds the containers.
void reference_gateway::hide_all(std::vector<object_entry*> hidden) {
  while (!hidden.empty()) {
    auto& entry = *hidden.back();
    hidden.pop_back();
    entry.host().gateway().drop_shown(entry, hidden);
  }
}

void reference_gateway::check_invariants() const {
  std::unique_lock guard{mutex_};
  own_.check_invariants();
  borrowed_.check_invariants();
}

} // namespace mobula
