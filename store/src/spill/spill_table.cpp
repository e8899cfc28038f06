// What shards, the disk and time tell the spill table, what it makes of each, and whether the disk
// writes or moves next. What it writes is decided in spill_batches.cpp, which files are rewritten
// in spill_moves.cpp, what is read in spill_reads.cpp.

#include "mobula/store/spill/spill_table.hpp"

#include <vector>

namespace mobula {

namespace {

using place = spill_place;

} // namespace

spill_table::spill_table(const spill_config& config)
  : config_(config), files_({.max_file_bytes = config.max_file_bytes,
                             .dead_for_each_live = config.dead_for_each_live},
                            config.directories),
    directories_(config.directories, config.max_skipped_retries), failures_(objects_, counters_),
    quota_(config_, files_), batches_(config_, objects_, files_, directories_, quota_),
    moves_(config_, objects_, files_, directories_, quota_, counters_),
    reads_(config_, objects_, files_) {
  MOBULA_ASSERT(config.directories > 0 && config.max_file_bytes > 0 && config.max_writes > 0
                && config.max_reads > 0 && config.max_batch_records > 0);
}

// -- shards -----------------------------------------------------------------------

void spill_table::spill(const object_id& id, std::uint64_t record_bytes, spill_effects& effects) {
  MOBULA_ASSERT(record_bytes > 0);
  if (shutting_down_) {
    failures_.cancel(id, effects);
    return;
  }
  auto [entry, fresh] = objects_.insert(id);
  MOBULA_ASSERT(!entry.freed);
  if (!fresh) {
    if (entry.where != place::pinned && entry.where != place::spilling)
      effects.push_back(report_spilled{id});
    return;
  }
  entry.record_bytes = record_bytes;
  batches_.queue_last(id, entry);
  dispatch(effects);
}

void spill_table::restore(const object_id& id, spill_effects& effects) {
  auto* entry = objects_.find(id);
  if (entry == nullptr) {
    effects.push_back(report_restore_failed{id, restore_error::record_lost});
    return;
  }
  MOBULA_ASSERT(entry->has_record());
  if (entry->where != place::spilled)
    return;
  entry->read_attempts = 0;
  reads_.queue(id, *entry);
  dispatch(effects);
}

void spill_table::free(const object_id& id, spill_effects& effects) {
  auto* entry = objects_.find(id);
  if (entry == nullptr || entry->freed)
    return;
  switch (entry->where) {
    case place::pinned:
      batches_.dequeue(*entry);
      failures_.fail_spill(id, spill_error::canceled, effects);
      break;
    case place::spilling:
      entry->freed = true;
      break;
    case place::spilled:
      kill_record(*entry, effects);
      objects_.erase(id);
      break;
    case place::read_queued:
      reads_.dequeue(*entry);
      kill_record(*entry, effects);
      failures_.fail_restore(id, restore_error::canceled, effects);
      break;
    case place::reading:
      entry->freed = true;
      kill_record(*entry, effects);
      break;
  }
  dispatch(effects);
}

// -- answers from the disk ----------------------------------------------------------

void spill_table::batch_written(spill_batch_id id, const batch_outcome& outcome,
                                spill_effects& effects) {
  auto written = batches_.take(id);
  MOBULA_ASSERT(outcome.records_written <= written.records.size());
  MOBULA_ASSERT((outcome.records_written < written.records.size()) == outcome.error.has_value());
  auto& target = files_.get(written.file);
  target.writing = false;
  for (std::size_t i = 0; i < outcome.records_written; ++i) {
    const auto& record = written.records[i];
    finish_record(
      record.id, {written.file, target.directory, target.size_bytes, record.record_bytes}, effects);
  }
  directories_.write_ended(target.directory, outcome.error, effects);
  if (outcome.error) {
    files_.close(written.file);
    fail_rest(written, outcome.records_written, effects);
  }
  files_.delete_if_dead(written.file, effects);
  dispatch(effects);
}

void spill_table::finish_record(const object_id& id, const spill_location& location,
                                spill_effects& effects) {
  auto& entry = objects_.get(id, place::spilling);
  files_.grow(location.file, location.record_bytes);
  ++counters_.written_objects;
  counters_.written_bytes += location.record_bytes;
  if (entry.freed)
    return failures_.fail_spill(id, spill_error::canceled, effects);
  entry.where = place::spilled;
  entry.location = location;
  files_.add_record(location.file, {id, location.offset_bytes}, location.record_bytes);
  effects.push_back(report_spilled{id});
}

/// Puts what a write did not get to back to the front of the line, in its old order.
void spill_table::fail_rest(const spill_batches::batch& written, std::size_t first,
                            spill_effects& effects) {
  for (auto i = written.records.size(); i-- > first;) {
    const auto& record = written.records[i];
    auto& entry = objects_.get(record.id, place::spilling);
    if (entry.freed) {
      failures_.fail_spill(record.id, spill_error::canceled, effects);
    } else {
      batches_.queue_first(record.id, entry);
    }
  }
}

void spill_table::records_moved(spill_batch_id id, const move_outcome& outcome,
                                spill_effects& effects) {
  moves_.ended(id, outcome, effects);
  dispatch(effects);
}

void spill_table::read_finished(const object_id& id, spill_effects& effects) {
  auto& entry = reads_.end(id);
  if (entry.freed) {
    failures_.fail_restore(id, restore_error::canceled, effects);
  } else {
    entry.where = place::spilled;
    ++counters_.restored_objects;
    counters_.restored_bytes += entry.record_bytes;
    effects.push_back(report_restored{id});
  }
  dispatch(effects);
}

void spill_table::read_failed(const object_id& id, restore_error error, spill_effects& effects) {
  auto& entry = reads_.end(id);
  if (entry.freed) {
    failures_.fail_restore(id, restore_error::canceled, effects);
  } else if (entry.moved) {
    // It was read where it is no more, which tells nothing.
    reads_.queue(id, entry);
  } else if (error == restore_error::record_lost) {
    kill_record(entry, effects);
    failures_.fail_restore(id, error, effects);
  } else if (++entry.read_attempts < config_.max_read_attempts) {
    reads_.queue(id, entry);
  } else {
    entry.where = place::spilled;
    ++counters_.restore_failures;
    effects.push_back(report_restore_failed{id, error});
  }
  dispatch(effects);
}

void spill_table::kill_record(const spill_entry& entry, spill_effects& effects) {
  files_.kill_record(entry.location.file, entry.record_bytes, effects);
}

void spill_table::file_deleted(spill_file_id id, spill_effects& effects) {
  files_.deleted(id);
  at_limit_ = false;
  failures_.begin_round_if_failed(effects);
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
  auto who = failures_.spills_failed() ? spill_directories::urgency::spills
                                       : spill_directories::urgency::none;
  if (directories_.retry(who))
    failures_.begin_round_if_failed(effects);
  dispatch(effects);
}

void spill_table::shut_down(spill_effects& effects) {
  MOBULA_ASSERT(!shutting_down_);
  shutting_down_ = true;
  auto ids = objects_.sorted();
  // Not one by one through `free`, which would start writes for those whose turn comes later.
  for (const auto& id : batches_.take_queue())
    failures_.fail_spill(id, spill_error::canceled, effects);
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

// -- what the disk does next ----------------------------------------------------------

/// Every event ends here.
void spill_table::dispatch(spill_effects& effects) {
  reads_.dispatch(effects);
  dispatch_writes(effects);
  if (shutting_down_ && !drained_ && objects_.empty() && files_.count() == 0) {
    drained_ = true;
    effects.push_back(report_spill_drained{});
  }
}

void spill_table::dispatch_writes(spill_effects& effects) {
  // While objects are freed one by one, their files look as if it were worth saving the rest.
  auto progress = !shutting_down_;
  if (at_limit_)
    files_.close_what_cannot_fill();
  while (progress && quota_.allows_another_write())
    progress = move_is_next_ ? dispatch_move(effects) || dispatch_spill(effects)
                             : dispatch_spill(effects) || dispatch_move(effects);
}

/// Starts a write or refuses one. Returns whether it did either.
bool spill_table::dispatch_spill(spill_effects& effects) {
  if (batches_.queue_empty())
    return false;
  auto picked = directories_.find_next();
  if (picked == spill_directories::pick::none_left) {
    refuse_oldest(directories_.last_error(), effects);
    return true;
  }
  if (picked == spill_directories::pick::all_busy)
    return false;
  if (!quota_.allows_bytes(batches_.first_bytes())) {
    at_limit_ = true;
    files_.close_what_cannot_fill();
    // What is on its way out makes space, and so does what can be sent there.
    if (files_.deletions() > 0 || moves_.count() > 0)
      return false;
    if (!dispatch_move(effects))
      refuse_oldest(spill_error::beyond_limit, effects);
    return true;
  }
  if (batches_.worth_waiting())
    return false;
  batches_.start(directories_.take_turn(), effects);
  move_is_next_ = true;
  return true;
}

/// Starts a move if there is one to start. Returns whether it did.
bool spill_table::dispatch_move(spill_effects& effects) {
  if (!moves_.start_next(effects))
    return false;
  move_is_next_ = false;
  return true;
}

void spill_table::refuse_oldest(spill_error error, spill_effects& effects) {
  failures_.fail_spill(batches_.take_first(), error, effects);
}

} // namespace mobula
