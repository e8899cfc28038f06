// What a stripe's entries have to tell their owner. An entry that dies before its announcement was
// sent is taken back, so that the owner never hears of it.

#include "mobula/actors/objects/entry_stripe.hpp"

#include <new>
#include <utility>

#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

// -- entries --------------------------------------------------------------------------------------

std::uint64_t entry_stripe::enlist() {
  std::unique_lock guard{mutex_};
  ++live_;
  return (++enlisted_ * count) | index_;
}

void entry_stripe::enlist_borrowed() {
  std::unique_lock guard{mutex_};
  ++live_;
}

void entry_stripe::delist(std::size_t heap_bytes) noexcept {
  if (heap_bytes != 0)
    ledger_->give_back(heap_bytes);
  // Before the entry is no more counted: it may be the last thing that keeps the host.
  host_->heap_freed();
  std::unique_lock guard{mutex_};
  --live_;
  release_host_if_done(guard);
}

void entry_stripe::announce(object_entry& entry) {
  {
    std::unique_lock guard{mutex_};
    if (closed_)
      return;
    entry.slot_ = static_cast<std::uint32_t>(added_.size());
    added_.push_back(&entry);
    if (entry.copy() != nullptr)
      order_.note_value(entry);
  }
  try {
    host_->request_flush();
  } catch (...) {
    std::unique_lock guard{mutex_};
    // Somebody else's flush may have told the owner of it meanwhile; what the heap's keeper has
    // taken meanwhile is told of by the next one.
    if (!is_unsent(entry) || entry.handles() > 1)
      return;
    take_back(entry);
    // From here on the keeper must not find it: whoever made it frees it, whatever handles it has.
    if (auto* copy = entry.copy())
      order_.forget_value(*copy);
    throw;
  }
}

void entry_stripe::retire(object_entry& entry) noexcept {
  release_token token{&entry};
  {
    std::unique_lock guard{mutex_};
    if (is_unsent(entry)) {
      take_back(entry);
    } else if (!closed_) {
      removed_.push_back(std::move(token));
      // Under the mutex: from its end on, whoever takes the token may free the entry, and with the
      // last one this stripe.
      try {
        host_->request_flush();
      } catch (const std::bad_alloc&) {
        // The token waits here for the next change, which asks again.
      }
      return;
    }
  }
  if (in_shard(entry))
    host_->release_stored(std::move(token));
}

void entry_stripe::take_back(object_entry& entry) noexcept {
  auto* last = added_.back();
  added_[entry.slot_] = last;
  last->slot_ = entry.slot_;
  added_.pop_back();
}

void entry_stripe::note_seal(object_entry& entry) {
  // The owner of a borrowed object is who told of its seal.
  if (!closed_ && entry.kind() == entry_kind::own && !is_unsent(entry))
    sealed_.push_back(describe(entry));
}

void entry_stripe::moved_to_store(object_entry& entry) {
  {
    std::unique_lock guard{mutex_};
    order_.value_moved(*entry.copy());
    note_seal(entry);
  }
  host_->request_flush();
}

void entry_stripe::take(reference_changes& changes) {
  std::vector<object_entry*> added;
  {
    std::unique_lock guard{mutex_};
    added.swap(added_);
    changes.sealed.insert(changes.sealed.end(), sealed_.begin(), sealed_.end());
    sealed_.clear();
    for (auto& token : removed_)
      changes.removed.push_back(std::move(token));
    removed_.clear();
  }
  // These entries cannot be freed meanwhile: removals that come from here on wait in this stripe
  // for the next call, and there is one caller.
  changes.added.reserve(changes.added.size() + added.size());
  for (auto* entry : added)
    changes.added.push_back(describe(*entry));
}

/// The entry may be sealed meanwhile; what is told then follows as a seal. So all is told as of one
/// phase.
object_record describe(const object_entry& entry) noexcept {
  auto phase = entry.phase();
  object_record result{.sequence = entry.sequence(), .entry = &entry};
  if (phase == object_phase::pending)
    return result;
  result.size_bytes = entry.size_bytes();
  if (!entry.contents().empty())
    result.content = object_content::references;
  switch (phase) {
    case object_phase::pending:
      break;
    case object_phase::inline_value:
      result.place = object_place::inline_value;
      break;
    case object_phase::stored:
      result.place = in_shard(entry) ? object_place::stored : object_place::inline_value;
      break;
    case object_phase::failed:
    case object_phase::freed:
      result.place = object_place::failed;
      break;
  }
  return result;
}

// -- waiters --------------------------------------------------------------------------------------

void entry_stripe::unlink(wait_link& link) noexcept {
  std::unique_lock guard{mutex_};
  waiters_.unlink(link);
}

void entry_stripe::refuse_waiters() {
  woken_links woken;
  {
    std::unique_lock guard{mutex_};
    waiters_.refuse(woken);
  }
  wait_list::wake(woken);
}

// -- end ------------------------------------------------------------------------------------------

void entry_stripe::close() {
  std::vector<release_token> removed;
  {
    std::unique_lock guard{mutex_};
    if (closed_)
      return;
    closed_ = true;
    added_.clear();
    sealed_.clear();
    removed.swap(removed_);
  }
  // As `retire` does from here on: shards go on for a while, and know of their entries.
  for (auto& token : removed)
    if (in_shard(*token))
      host_->release_stored(std::move(token));
  removed.clear();
  std::unique_lock guard{mutex_};
  release_host_if_done(guard);
}

void entry_stripe::release_host_if_done(std::unique_lock<std::mutex>& guard) noexcept {
  if (!closed_ || live_ != 0 || host_released_)
    return;
  host_released_ = true;
  guard.unlock();
  // This may free the host and this stripe with it.
  host_->drop_ref();
}

std::size_t entry_stripe::live() const {
  std::unique_lock guard{mutex_};
  return live_;
}

std::size_t entry_stripe::waiting() const {
  std::unique_lock guard{mutex_};
  return waiters_.size();
}

bool entry_stripe::has_changes() const {
  std::unique_lock guard{mutex_};
  return !added_.empty() || !sealed_.empty() || !removed_.empty();
}

} // namespace mobula
