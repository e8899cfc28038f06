// How the live records of mostly dead files get to others.

#include "mobula/store/spill/spill_moves.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- beginning ------------------------------------------------------------------------

bool spill_moves::start_next(spill_effects& effects) {
  auto fits = [&](spill_file_id id) {
    return quota_.allows_bytes(files_.get(id).live_bytes);
  };
  auto from = std::ranges::find_if(files_.sparse(), fits);
  if (from == files_.sparse().end())
    return false;
  auto where = directories_.take_good_turn();
  if (!where)
    return false;
  start(*from, *where, effects);
  return true;
}

void spill_moves::start(spill_file_id from, spill_directory where, spill_effects& effects) {
  auto& source = files_.get(from);
  std::erase_if(source.records, [&](const spill_files::file_record& record) {
    return objects_.find_record(record.id, from, record.offset_bytes) == nullptr;
  });
  MOBULA_ASSERT(source.records.size() == source.live_records);
  source.moving = true;
  files_.update_sparse(from);
  auto bytes_of = [&](const spill_files::file_record& record) {
    return objects_.all().at(record.id).record_bytes;
  };
  auto file_id = files_.pick(where, bytes_of(source.records.front()));
  auto& target = files_.get(file_id);
  move next{.from = from, .file = file_id, .bytes = 0, .records = {}};
  for (const auto& record : source.records) {
    auto record_bytes = bytes_of(record);
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
  auto id = quota_.begin(next.bytes);
  effects.push_back(
    move_records{id, from, source.directory, file_id, where, target.size_bytes, next.records});
  moves_.emplace(id, std::move(next));
}

// -- end ------------------------------------------------------------------------------

void spill_moves::ended(spill_batch_id id, const move_outcome& outcome, spill_effects& effects) {
  auto over = take(id);
  MOBULA_ASSERT(outcome.records.size() <= over.records.size());
  MOBULA_ASSERT((outcome.records.size() < over.records.size()) == outcome.error.has_value());
  auto& target = files_.get(over.file);
  target.writing = false;
  for (std::size_t i = 0; i < outcome.records.size(); ++i)
    if (outcome.records[i] == record_move::moved)
      finish_record(over, over.records[i]);
    else
      ++counters_.unreadable_moves;
  directories_.write_ended(target.directory, outcome.error, effects);
  if (outcome.error)
    files_.close(over.file);
  files_.delete_if_dead(over.file, effects);
  release_source(over.from, outcome, effects);
}

spill_moves::move spill_moves::take(spill_batch_id id) {
  auto position = moves_.find(id);
  MOBULA_ASSERT(position != moves_.end());
  auto over = std::move(position->second);
  moves_.erase(position);
  quota_.end(over.bytes);
  return over;
}

/// Counts a record at its new place, and lets its object know it unless that was freed meanwhile.
void spill_moves::finish_record(const move& ended, const moving_record& record) {
  auto offset_bytes = files_.grow(ended.file, record.record_bytes);
  ++counters_.moved_objects;
  counters_.moved_bytes += record.record_bytes;
  auto* entry = objects_.find_record(record.id, ended.from, record.offset_bytes);
  if (entry == nullptr)
    return;
  files_.hand_over(ended.from, ended.file, {record.id, offset_bytes}, record.record_bytes);
  entry->location = {ended.file, files_.get(ended.file).directory, offset_bytes,
                     record.record_bytes};
  entry->moved = entry->where == spill_place::reading;
}

/// The file that was read may have gone already, when the last of its objects was freed.
void spill_moves::release_source(spill_file_id id, const move_outcome& outcome,
                                 spill_effects& effects) {
  auto* source = files_.find(id);
  if (source == nullptr)
    return;
  source->moving = false;
  source->move_failed = std::ranges::count(outcome.records, record_move::unreadable) > 0;
  files_.update_sparse(id);
  files_.delete_if_dead(id, effects);
}

// -- properties -----------------------------------------------------------------------

std::uint64_t spill_moves::bytes() const noexcept {
  std::uint64_t result = 0;
  for (const auto& [id, under_way] : moves_)
    result += under_way.bytes;
  return result;
}

} // namespace mobula
