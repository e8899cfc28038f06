// Which objects are written next, and what is being written.

#include "mobula/store/spill/spill_batches.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- the queue ------------------------------------------------------------------------

void spill_batches::queue_last(const object_id& id, spill_entry& entry) {
  queue(queue_.end(), id, entry);
}

void spill_batches::queue_first(const object_id& id, spill_entry& entry) {
  queue(queue_.begin(), id, entry);
}

void spill_batches::queue(std::list<object_id>::iterator before, const object_id& id,
                          spill_entry& entry) {
  entry.where = spill_place::pinned;
  entry.position = queue_.insert(before, id);
  pinned_bytes_ += entry.record_bytes;
}

void spill_batches::dequeue(spill_entry& entry) {
  queue_.erase(entry.position);
  pinned_bytes_ -= entry.record_bytes;
}

object_id spill_batches::take_first() {
  auto id = queue_.front();
  dequeue(objects_.get(id, spill_place::pinned));
  return id;
}

std::list<object_id> spill_batches::take_queue() {
  pinned_bytes_ = 0;
  return std::exchange(queue_, {});
}

// -- writes ---------------------------------------------------------------------------

void spill_batches::start(spill_directory where, spill_effects& effects) {
  auto file_id = files_.pick(where, first_bytes());
  auto& target = files_.get(file_id);
  batch next{.file = file_id, .bytes = 0, .records = {}};
  while (!queue_.empty() && next.records.size() < config_.max_batch_records) {
    auto id = queue_.front();
    auto& entry = objects_.get(id, spill_place::pinned);
    auto bytes = next.bytes + entry.record_bytes;
    auto fits = bytes <= config_.batch_bytes && target.size_bytes + bytes <= config_.max_file_bytes
                && quota_.allows_bytes(bytes);
    if (!fits && !next.records.empty())
      break;
    dequeue(entry);
    entry.where = spill_place::spilling;
    next.bytes = bytes;
    next.records.push_back({id, entry.record_bytes});
  }
  target.writing = true;
  directories_.write_began(where);
  auto id = quota_.begin(next.bytes);
  effects.push_back(write_batch{id, file_id, where, target.size_bytes, next.records});
  batches_.emplace(id, std::move(next));
}

spill_batches::batch spill_batches::take(spill_batch_id id) {
  auto position = batches_.find(id);
  MOBULA_ASSERT(position != batches_.end());
  auto ended = std::move(position->second);
  batches_.erase(position);
  quota_.end(ended.bytes);
  return ended;
}

// -- properties -----------------------------------------------------------------------

bool spill_batches::worth_waiting() const {
  return quota_.writes_under_way() > 0 && pinned_bytes_ < config_.batch_bytes
         && queue_.size() < config_.max_batch_records;
}

void spill_batches::add_to(spill_stats& stats) const {
  stats.pinned_objects += queue_.size();
  stats.pinned_bytes += pinned_bytes_;
  for (const auto& [id, under_way] : batches_) {
    stats.spilling_objects += under_way.records.size();
    stats.spilling_bytes += under_way.bytes;
  }
}

} // namespace mobula
