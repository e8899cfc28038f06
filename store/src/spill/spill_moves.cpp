// How the live records of mostly dead files get to others.

#include <algorithm>
#include <utility>

#include "mobula/store/spill/spill_table.hpp"

namespace mobula {

/// Returns the object whose live record is there, if any.
spill_table::object* spill_table::find_record(const object_id& id, spill_file_id where,
                                              std::uint64_t offset_bytes) {
  auto position = objects_.find(id);
  if (position == objects_.end())
    return nullptr;
  auto& entry = position->second;
  auto written = entry.where != place::pinned && entry.where != place::spilling;
  // The same object may have been freed and spilled anew since.
  auto here = entry.location.file == where && entry.location.offset_bytes == offset_bytes;
  return written && here && !entry.freed ? &entry : nullptr;
}

bool spill_table::is_mostly_dead(const file& candidate) const noexcept {
  return config_.dead_for_each_live > 0 && candidate.live_records > 0
         && (candidate.size_bytes - candidate.live_bytes) / config_.dead_for_each_live
              >= candidate.live_bytes;
}

bool spill_table::is_sparse(const file& candidate) const noexcept {
  return candidate.state == file_state::closed && !candidate.moving && !candidate.move_failed
         && is_mostly_dead(candidate);
}

/// At the limit no file fills any more: open ones would hold their dead bytes until the last of
/// their records dies, which may be never.
void spill_table::close_what_cannot_fill() {
  for (const auto& where : directories_)
    for (auto id : std::list{where.open})
      if (const auto& candidate = get_file(id); !candidate.writing && is_mostly_dead(candidate))
        close_file(id);
}

/// To be called whenever something that `is_sparse` looks at has changed.
void spill_table::update_sparse(spill_file_id id) {
  if (is_sparse(get_file(id)))
    sparse_.insert(id);
  else
    sparse_.erase(id);
}

// -- beginning ------------------------------------------------------------------------

/// Starts a move if there is one to start. Returns whether it did.
bool spill_table::dispatch_move(spill_effects& effects) {
  auto fits = [&](spill_file_id id) {
    return within_limit(get_file(id).live_bytes);
  };
  auto from = std::ranges::find_if(sparse_, fits);
  if (from == sparse_.end())
    return false;
  auto where = pick_good_directory();
  if (!where)
    return false;
  start_move(*from, *where, effects);
  move_is_next_ = false;
  return true;
}

/// Takes the turn of the next directory that took its last write. One on probation is left to
/// spills: they wait with memory in their hands.
std::optional<spill_directory> spill_table::pick_good_directory() {
  for (std::size_t tried = 0; tried < directories_.size(); ++tried) {
    auto index = (next_directory_ + tried) % directories_.size();
    if (directories_[index].state != directory_state::good)
      continue;
    next_directory_ = (index + 1) % directories_.size();
    return spill_directory{static_cast<std::uint32_t>(index)};
  }
  return std::nullopt;
}

void spill_table::start_move(spill_file_id from, spill_directory where, spill_effects& effects) {
  auto& source = get_file(from);
  std::erase_if(source.records, [&](const file_record& record) {
    return find_record(record.id, from, record.offset_bytes) == nullptr;
  });
  MOBULA_ASSERT(source.records.size() == source.live_records);
  source.moving = true;
  update_sparse(from);
  auto file_id = pick_file(where, objects_.at(source.records.front().id).record_bytes);
  auto& target = get_file(file_id);
  move next{.from = from, .file = file_id, .bytes = 0, .records = {}};
  for (const auto& record : source.records) {
    auto record_bytes = objects_.at(record.id).record_bytes;
    auto bytes = next.bytes + record_bytes;
    auto fits = bytes <= config_.batch_bytes && target.size_bytes + bytes <= config_.max_file_bytes
                && next.records.size() < config_.max_batch_records;
    if (!fits && !next.records.empty())
      break;
    next.bytes = bytes;
    next.records.push_back({record.id, record.offset_bytes, record_bytes});
  }
  target.writing = true;
  ++get_directory(where).writes;
  moving_bytes_ += next.bytes;
  auto id = spill_batch_id{++batches_named_};
  effects.push_back(
    move_records{id, from, source.directory, file_id, where, target.size_bytes, next.records});
  moves_.emplace(id, std::move(next));
}

// -- end ------------------------------------------------------------------------------

void spill_table::records_moved(spill_batch_id id, const move_outcome& outcome,
                                spill_effects& effects) {
  auto position = moves_.find(id);
  MOBULA_ASSERT(position != moves_.end());
  auto ended = std::move(position->second);
  moves_.erase(position);
  MOBULA_ASSERT(outcome.records.size() <= ended.records.size());
  MOBULA_ASSERT((outcome.records.size() < ended.records.size()) == outcome.error.has_value());
  moving_bytes_ -= ended.bytes;
  auto& target = get_file(ended.file);
  target.writing = false;
  for (std::size_t i = 0; i < outcome.records.size(); ++i)
    if (outcome.records[i] == record_move::moved)
      finish_move(ended, ended.records[i]);
    else
      ++counters_.unreadable_moves;
  judge_directory(target.directory, outcome.error, effects);
  if (outcome.error)
    close_file(ended.file);
  delete_if_dead(ended.file, effects);
  release_source(ended.from, outcome, effects);
  dispatch(effects);
}

/// Counts a record at its new place, and lets its object know it unless that was freed meanwhile.
void spill_table::finish_move(const move& ended, const moving_record& record) {
  auto& target = get_file(ended.file);
  auto offset_bytes = std::exchange(target.size_bytes, target.size_bytes + record.record_bytes);
  file_bytes_ += record.record_bytes;
  ++counters_.moved_objects;
  counters_.moved_bytes += record.record_bytes;
  auto* entry = find_record(record.id, ended.from, record.offset_bytes);
  if (entry == nullptr)
    return;
  auto& source = get_file(ended.from);
  source.live_bytes -= record.record_bytes;
  --source.live_records;
  target.live_bytes += record.record_bytes;
  ++target.live_records;
  target.records.push_back({record.id, offset_bytes});
  entry->location = {ended.file, target.directory, offset_bytes, record.record_bytes};
  entry->moved = entry->where == place::reading;
}

/// The file that was read may have gone already, when the last of its objects was freed.
void spill_table::release_source(spill_file_id id, const move_outcome& outcome,
                                 spill_effects& effects) {
  auto position = files_.find(id);
  if (position == files_.end())
    return;
  auto& source = position->second;
  source.moving = false;
  source.move_failed = std::ranges::count(outcome.records, record_move::unreadable) > 0;
  update_sparse(id);
  delete_if_dead(id, effects);
}

} // namespace mobula
