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

// -- beginning ------------------------------------------------------------------------

/// Starts a move if there is one to start. Returns whether it did.
bool spill_table::dispatch_move(spill_effects& effects) {
  auto fits = [&](spill_file_id id) {
    return within_limit(files_.get(id).live_bytes);
  };
  auto from = std::ranges::find_if(files_.sparse(), fits);
  if (from == files_.sparse().end())
    return false;
  auto where = directories_.take_good_turn();
  if (!where)
    return false;
  start_move(*from, *where, effects);
  move_is_next_ = false;
  return true;
}

void spill_table::start_move(spill_file_id from, spill_directory where, spill_effects& effects) {
  auto& source = files_.get(from);
  std::erase_if(source.records, [&](const spill_files::file_record& record) {
    return find_record(record.id, from, record.offset_bytes) == nullptr;
  });
  MOBULA_ASSERT(source.records.size() == source.live_records);
  source.moving = true;
  files_.update_sparse(from);
  auto file_id = files_.pick(where, objects_.at(source.records.front().id).record_bytes);
  auto& target = files_.get(file_id);
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
  directories_.write_began(where);
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
  auto& target = files_.get(ended.file);
  target.writing = false;
  for (std::size_t i = 0; i < outcome.records.size(); ++i)
    if (outcome.records[i] == record_move::moved)
      finish_move(ended, ended.records[i]);
    else
      ++counters_.unreadable_moves;
  judge_directory(target.directory, outcome.error, effects);
  if (outcome.error)
    files_.close(ended.file);
  files_.delete_if_dead(ended.file, effects);
  release_source(ended.from, outcome, effects);
  dispatch(effects);
}

/// Counts a record at its new place, and lets its object know it unless that was freed meanwhile.
void spill_table::finish_move(const move& ended, const moving_record& record) {
  auto offset_bytes = files_.grow(ended.file, record.record_bytes);
  ++counters_.moved_objects;
  counters_.moved_bytes += record.record_bytes;
  auto* entry = find_record(record.id, ended.from, record.offset_bytes);
  if (entry == nullptr)
    return;
  files_.hand_over(ended.from, ended.file, {record.id, offset_bytes}, record.record_bytes);
  entry->location = {ended.file, files_.get(ended.file).directory, offset_bytes,
                     record.record_bytes};
  entry->moved = entry->where == place::reading;
}

/// The file that was read may have gone already, when the last of its objects was freed.
void spill_table::release_source(spill_file_id id, const move_outcome& outcome,
                                 spill_effects& effects) {
  auto* source = files_.find(id);
  if (source == nullptr)
    return;
  source->moving = false;
  source->move_failed = std::ranges::count(outcome.records, record_move::unreadable) > 0;
  files_.update_sparse(id);
  files_.delete_if_dead(id, effects);
}

} // namespace mobula
