// What shards, the disk and time tell the spill table, and what it makes of each. What the disk
// does next is decided in spill_dispatch.cpp, which files are rewritten in spill_moves.cpp.

#include "mobula/store/spill/spill_table.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

spill_table::spill_table(const spill_config& config)
  : config_(config), files_({.max_file_bytes = config.max_file_bytes,
                             .dead_for_each_live = config.dead_for_each_live},
                            config.directories),
    directories_(config.directories, config.max_skipped_retries) {
  MOBULA_ASSERT(config.directories > 0 && config.max_file_bytes > 0 && config.max_writes > 0
                && config.max_reads > 0 && config.max_batch_records > 0);
}

// -- shards -----------------------------------------------------------------------

void spill_table::spill(const object_id& id, std::uint64_t record_bytes, spill_effects& effects) {
  MOBULA_ASSERT(record_bytes > 0);
  if (shutting_down_) {
    effects.push_back(report_spill_failed{id, spill_error::canceled, round_});
    return;
  }
  auto [position, fresh] = objects_.try_emplace(id);
  auto& entry = position->second;
  MOBULA_ASSERT(!entry.freed);
  if (!fresh) {
    if (entry.where != place::pinned && entry.where != place::spilling)
      effects.push_back(report_spilled{id});
    return;
  }
  entry.record_bytes = record_bytes;
  queue_write(write_queue_.end(), id, entry);
  dispatch(effects);
}

void spill_table::restore(const object_id& id, spill_effects& effects) {
  auto position = objects_.find(id);
  if (position == objects_.end()) {
    effects.push_back(report_restore_failed{id, restore_error::record_lost});
    return;
  }
  auto& entry = position->second;
  MOBULA_ASSERT(!entry.freed);
  MOBULA_ASSERT(entry.where != place::pinned && entry.where != place::spilling);
  if (entry.where != place::spilled)
    return;
  entry.read_attempts = 0;
  queue_read(id, entry);
  dispatch(effects);
}

void spill_table::free(const object_id& id, spill_effects& effects) {
  auto position = objects_.find(id);
  if (position == objects_.end() || position->second.freed)
    return;
  auto& entry = position->second;
  switch (entry.where) {
    case place::pinned:
      dequeue_write(entry);
      fail_spill(id, spill_error::canceled, effects);
      break;
    case place::spilling:
      entry.freed = true;
      break;
    case place::spilled:
      kill_record(entry, effects);
      objects_.erase(position);
      break;
    case place::read_queued:
      read_queue_.erase(entry.position);
      kill_record(entry, effects);
      fail_restore(id, restore_error::canceled, effects);
      break;
    case place::reading:
      entry.freed = true;
      kill_record(entry, effects);
      break;
  }
  dispatch(effects);
}

// -- answers from the disk ----------------------------------------------------------

void spill_table::batch_written(spill_batch_id id, const batch_outcome& outcome,
                                spill_effects& effects) {
  auto position = batches_.find(id);
  MOBULA_ASSERT(position != batches_.end());
  auto written = std::move(position->second);
  batches_.erase(position);
  MOBULA_ASSERT(outcome.records_written <= written.records.size());
  MOBULA_ASSERT((outcome.records_written < written.records.size()) == outcome.error.has_value());
  writing_bytes_ -= written.bytes;
  auto& target = files_.get(written.file);
  target.writing = false;
  for (std::size_t i = 0; i < outcome.records_written; ++i) {
    const auto& record = written.records[i];
    finish_record(
      record.id, {written.file, target.directory, target.size_bytes, record.record_bytes}, effects);
  }
  judge_directory(target.directory, outcome.error, effects);
  if (outcome.error) {
    files_.close(written.file);
    fail_rest(written, outcome.records_written, effects);
  }
  files_.delete_if_dead(written.file, effects);
  dispatch(effects);
}

void spill_table::finish_record(const object_id& id, const spill_location& location,
                                spill_effects& effects) {
  auto& entry = get(id, place::spilling);
  files_.grow(location.file, location.record_bytes);
  ++counters_.written_objects;
  counters_.written_bytes += location.record_bytes;
  if (entry.freed)
    return fail_spill(id, spill_error::canceled, effects);
  entry.where = place::spilled;
  entry.location = location;
  files_.add_record(location.file, {id, location.offset_bytes}, location.record_bytes);
  effects.push_back(report_spilled{id});
}

/// Puts what a write did not get to back to the front of the line, in its old order.
void spill_table::fail_rest(const batch& written, std::size_t first, spill_effects& effects) {
  for (auto i = written.records.size(); i-- > first;) {
    const auto& record = written.records[i];
    auto& entry = get(record.id, place::spilling);
    if (entry.freed) {
      fail_spill(record.id, spill_error::canceled, effects);
    } else {
      queue_write(write_queue_.begin(), record.id, entry);
    }
  }
}

void spill_table::judge_directory(spill_directory id, std::optional<spill_error> error,
                                  spill_effects& effects) {
  if (error)
    ++counters_.write_errors;
  directories_.write_ended(id, error, effects);
}

void spill_table::read_finished(const object_id& id, spill_effects& effects) {
  auto& entry = end_read(id);
  if (entry.freed) {
    fail_restore(id, restore_error::canceled, effects);
  } else {
    entry.where = place::spilled;
    ++counters_.restored_objects;
    counters_.restored_bytes += entry.record_bytes;
    effects.push_back(report_restored{id});
  }
  dispatch(effects);
}

void spill_table::read_failed(const object_id& id, restore_error error, spill_effects& effects) {
  auto& entry = end_read(id);
  if (entry.freed) {
    fail_restore(id, restore_error::canceled, effects);
  } else if (entry.moved) {
    // It was read where it is no more, which tells nothing.
    queue_read(id, entry);
  } else if (error == restore_error::record_lost) {
    kill_record(entry, effects);
    fail_restore(id, error, effects);
  } else if (++entry.read_attempts < config_.max_read_attempts) {
    queue_read(id, entry);
  } else {
    entry.where = place::spilled;
    ++counters_.restore_failures;
    effects.push_back(report_restore_failed{id, error});
  }
  dispatch(effects);
}

void spill_table::file_deleted(spill_file_id id, spill_effects& effects) {
  files_.deleted(id);
  at_limit_ = false;
  report_if_possible_again(effects);
  dispatch(effects);
}

void spill_table::delete_failed(spill_file_id id, spill_effects& effects) {
  files_.delete_failed(id);
  dispatch(effects);
}

// -- the caller's own ---------------------------------------------------------------

void spill_table::retry_directories(spill_effects& effects) {
  files_.retry_moves();
  files_.retry_deletions(effects);
  auto who = spills_failed_ ? spill_directories::urgency::spills : spill_directories::urgency::none;
  if (directories_.retry(who))
    report_if_possible_again(effects);
  dispatch(effects);
}

void spill_table::shut_down(spill_effects& effects) {
  MOBULA_ASSERT(!shutting_down_);
  shutting_down_ = true;
  std::vector<object_id> ids;
  ids.reserve(objects_.size());
  for (const auto& [id, entry] : objects_)
    ids.push_back(id);
  std::ranges::sort(ids); // A replay must see the same order.
  // Not one by one through `free`, which would start writes for those whose turn comes later.
  for (const auto& id : std::exchange(write_queue_, {})) {
    pinned_bytes_ -= get(id, place::pinned).record_bytes;
    fail_spill(id, spill_error::canceled, effects);
  }
  for (const auto& id : ids)
    free(id, effects);
  dispatch(effects);
}

std::size_t spill_table::abandon_files(spill_effects& effects) {
  MOBULA_ASSERT(shutting_down_);
  auto abandoned = files_.abandon();
  dispatch(effects);
  return abandoned;
}

} // namespace mobula
