// What the disk does next, and how records and files end.

#include <algorithm>
#include <utility>

#include "mobula/store/spill/spill_table.hpp"

namespace mobula {

// -- records and files ----------------------------------------------------------------

spill_table::object& spill_table::get(const object_id& id, place expected) {
  auto position = objects_.find(id);
  MOBULA_ASSERT(position != objects_.end() && position->second.where == expected);
  return position->second;
}

/// Answers a spill and forgets the object, which is in no queue, batch or file any more.
void spill_table::fail_spill(const object_id& id, spill_error error, spill_effects& effects) {
  if (error != spill_error::canceled) {
    ++counters_.spill_failures;
    spills_failed_ = true;
  }
  effects.push_back(report_spill_failed{id, error, round_});
  objects_.erase(objects_.find(id));
}

void spill_table::report_if_possible_again(spill_effects& effects) {
  if (!std::exchange(spills_failed_, false))
    return;
  round_ = spill_round{static_cast<std::uint64_t>(round_) + 1};
  effects.push_back(report_spilling_possible{round_});
}

/// Answers a restore and forgets the object, whose record is dead.
void spill_table::fail_restore(const object_id& id, restore_error error, spill_effects& effects) {
  if (error != restore_error::canceled)
    ++counters_.restore_failures;
  effects.push_back(report_restore_failed{id, error});
  objects_.erase(objects_.find(id));
}

void spill_table::kill_record(object& entry, spill_effects& effects) {
  files_.kill_record(entry.location.file, entry.record_bytes, effects);
}

// -- what the disk does next ----------------------------------------------------------

/// Every event ends here.
void spill_table::dispatch(spill_effects& effects) {
  dispatch_reads(effects);
  dispatch_writes(effects);
  if (shutting_down_ && !drained_ && objects_.empty() && files_.count() == 0) {
    drained_ = true;
    effects.push_back(report_spill_drained{});
  }
}

void spill_table::dispatch_reads(spill_effects& effects) {
  while (!read_queue_.empty() && reads_.size() < config_.max_reads)
    start_read(read_queue_.front(), effects);
}

void spill_table::queue_read(const object_id& id, object& entry) {
  entry.where = place::read_queued;
  entry.position = read_queue_.insert(read_queue_.end(), id);
}

void spill_table::start_read(const object_id& first, spill_effects& effects) {
  spill_read_id read{++reads_named_};
  auto records = readable_from(first);
  for (const auto& record : records) {
    auto& entry = get(record.id, place::read_queued);
    read_queue_.erase(entry.position);
    entry.where = place::reading;
    entry.moved = false;
    entry.read = read;
  }
  reads_.emplace(read, records.size());
  const auto& where = records.front().location;
  effects.push_back(read_records{where.file, where.directory, std::move(records)});
}

/// Returns the record of `first` and those that wait for being read right behind it.
std::vector<record_to_read> spill_table::readable_from(const object_id& first) {
  auto start = get(first, place::read_queued).location;
  std::vector<record_to_read> result{{first, start}};
  const auto& records = files_.get(start.file).records;
  auto next = std::ranges::upper_bound(records, start.offset_bytes, {},
                                       &spill_files::file_record::offset_bytes);
  auto end = start.offset_bytes + start.record_bytes;
  for (; next != records.end() && next->offset_bytes == end; ++next) {
    const auto* entry = find_record(next->id, start.file, next->offset_bytes);
    if (entry == nullptr || entry->where != place::read_queued)
      break;
    end += entry->record_bytes;
    if (end - start.offset_bytes > config_.read_bytes)
      break;
    result.push_back({next->id, entry->location});
  }
  return result;
}

/// Counts one record's answer. The read makes way for another when all of its records have theirs.
spill_table::object& spill_table::end_read(const object_id& id) {
  auto& entry = get(id, place::reading);
  auto read = reads_.find(entry.read);
  MOBULA_ASSERT(read != reads_.end());
  if (--read->second == 0)
    reads_.erase(read);
  return entry;
}

void spill_table::queue_write(std::list<object_id>::iterator before, const object_id& id,
                              object& entry) {
  entry.where = place::pinned;
  entry.position = write_queue_.insert(before, id);
  pinned_bytes_ += entry.record_bytes;
}

void spill_table::dequeue_write(object& entry) {
  write_queue_.erase(entry.position);
  pinned_bytes_ -= entry.record_bytes;
}

void spill_table::dispatch_writes(spill_effects& effects) {
  // While objects are freed one by one, their files look as if it were worth saving the rest.
  auto progress = !shutting_down_;
  if (at_limit_)
    files_.close_what_cannot_fill();
  while (progress && writes_under_way() < config_.max_writes)
    progress = move_is_next_ ? dispatch_move(effects) || dispatch_spill(effects)
                             : dispatch_spill(effects) || dispatch_move(effects);
}

/// Starts a write or refuses one. Returns whether it did either.
bool spill_table::dispatch_spill(spill_effects& effects) {
  if (write_queue_.empty())
    return false;
  auto picked = directories_.find_next();
  if (picked == spill_directories::pick::none_left) {
    refuse_oldest(directories_.last_error(), effects);
    return true;
  }
  if (picked == spill_directories::pick::all_busy)
    return false;
  if (!within_limit(get(write_queue_.front(), place::pinned).record_bytes)) {
    at_limit_ = true;
    files_.close_what_cannot_fill();
    // What is on its way out makes space, and so does what can be sent there.
    if (files_.deletions() > 0 || !moves_.empty())
      return false;
    if (!dispatch_move(effects))
      refuse_oldest(spill_error::beyond_limit, effects);
    return true;
  }
  if (worth_waiting())
    return false;
  start_batch(directories_.take_turn(), effects);
  move_is_next_ = true;
  return true;
}

bool spill_table::within_limit(std::uint64_t more_bytes) const noexcept {
  return config_.spill_limit_bytes == 0
         || files_.bytes() + writing_bytes_ + moving_bytes_ + more_bytes
              <= config_.spill_limit_bytes;
}

std::size_t spill_table::writes_under_way() const noexcept {
  return batches_.size() + moves_.size();
}

/// Returns whether a batch would be small and a write under way promises another look.
bool spill_table::worth_waiting() const {
  return writes_under_way() > 0 && pinned_bytes_ < config_.batch_bytes
         && write_queue_.size() < config_.max_batch_records;
}

void spill_table::start_batch(spill_directory where, spill_effects& effects) {
  auto first_bytes = get(write_queue_.front(), place::pinned).record_bytes;
  auto file_id = files_.pick(where, first_bytes);
  auto& target = files_.get(file_id);
  batch next{.file = file_id, .bytes = 0, .records = {}};
  while (!write_queue_.empty() && next.records.size() < config_.max_batch_records) {
    auto id = write_queue_.front();
    auto& entry = get(id, place::pinned);
    auto bytes = next.bytes + entry.record_bytes;
    auto fits = bytes <= config_.batch_bytes && target.size_bytes + bytes <= config_.max_file_bytes
                && within_limit(bytes);
    if (!fits && !next.records.empty())
      break;
    dequeue_write(entry);
    entry.where = place::spilling;
    next.bytes = bytes;
    next.records.push_back({id, entry.record_bytes});
  }
  target.writing = true;
  directories_.write_began(where);
  writing_bytes_ += next.bytes;
  auto id = spill_batch_id{++batches_named_};
  effects.push_back(write_batch{id, file_id, where, target.size_bytes, next.records});
  batches_.emplace(id, std::move(next));
}

void spill_table::refuse_oldest(spill_error error, spill_effects& effects) {
  auto id = write_queue_.front();
  dequeue_write(get(id, place::pinned));
  fail_spill(id, error, effects);
}

} // namespace mobula
