// What is in which spill file, and how files fill, are rewritten and end.

#include "mobula/store/spill/spill_files.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- files ----------------------------------------------------------------------------------------

spill_files::file& spill_files::get(spill_file_id id) {
  auto position = files_.find(id);
  MOBULA_ASSERT(position != files_.end());
  return position->second;
}

spill_files::file* spill_files::find(spill_file_id id) {
  auto position = files_.find(id);
  return position == files_.end() ? nullptr : &position->second;
}

spill_file_id spill_files::pick(spill_directory where, std::uint64_t first_bytes) {
  auto candidates = open_in(where);
  for (auto id : candidates) {
    const auto& candidate = get(id);
    if (candidate.writing)
      continue;
    if (candidate.size_bytes + first_bytes <= bounds_.max_file_bytes)
      return id;
    // Records keep their order, so a file that is too full for this one is done.
    close(id);
    MOBULA_ASSERT(candidate.live_records > 0);
  }
  auto id = spill_file_id{++named_};
  files_.try_emplace(id).first->second.directory = where;
  open_in(where).push_back(id);
  return id;
}

void spill_files::close(spill_file_id id) {
  auto& full = get(id);
  if (full.state != file_state::open)
    return;
  full.state = file_state::closed;
  std::erase(open_in(full.directory), id);
  update_sparse(id);
}

void spill_files::close_what_cannot_fill() {
  for (const auto& open : open_)
    for (auto id : std::list{open})
      if (const auto& candidate = get(id); !candidate.writing && is_mostly_dead(candidate))
        close(id);
}

bool spill_files::is_mostly_dead(const file& candidate) const noexcept {
  return bounds_.dead_for_each_live > 0 && candidate.live_records > 0
         && (candidate.size_bytes - candidate.live_bytes) / bounds_.dead_for_each_live
              >= candidate.live_bytes;
}

bool spill_files::is_sparse(const file& candidate) const noexcept {
  return candidate.state == file_state::closed && !candidate.moving && !candidate.move_failed
         && is_mostly_dead(candidate);
}

void spill_files::update_sparse(spill_file_id id) {
  if (is_sparse(get(id)))
    sparse_.insert(id);
  else
    sparse_.erase(id);
}

// -- records --------------------------------------------------------------------------------------

std::uint64_t spill_files::grow(spill_file_id id, std::uint64_t record_bytes) {
  auto& target = get(id);
  bytes_ += record_bytes;
  return std::exchange(target.size_bytes, target.size_bytes + record_bytes);
}

void spill_files::add_record(spill_file_id id, const file_record& record,
                             std::uint64_t record_bytes) {
  auto& target = get(id);
  target.records.push_back(record);
  target.live_bytes += record_bytes;
  ++target.live_records;
  live_bytes_ += record_bytes;
  ++live_records_;
}

void spill_files::kill_record(spill_file_id id, std::uint64_t record_bytes,
                              spill_effects& effects) {
  auto& target = get(id);
  target.live_bytes -= record_bytes;
  --target.live_records;
  live_bytes_ -= record_bytes;
  --live_records_;
  target.move_failed = false;
  update_sparse(id);
  delete_if_dead(id, effects);
}

void spill_files::hand_over(spill_file_id from, spill_file_id to, const file_record& record,
                            std::uint64_t record_bytes) {
  auto& source = get(from);
  source.live_bytes -= record_bytes;
  --source.live_records;
  auto& target = get(to);
  target.live_bytes += record_bytes;
  ++target.live_records;
  target.records.push_back(record);
}

// -- ends -----------------------------------------------------------------------------------------

void spill_files::delete_if_dead(spill_file_id id, spill_effects& effects) {
  auto& candidate = get(id);
  if (candidate.live_records > 0 || candidate.writing || candidate.state == file_state::deleting
      || candidate.state == file_state::delete_failed)
    return;
  close(id);
  candidate.state = file_state::deleting;
  ++deletions_;
  effects.push_back(delete_file{id, candidate.directory});
}

void spill_files::deleted(spill_file_id id) {
  auto& gone = get(id);
  MOBULA_ASSERT(gone.state == file_state::deleting && gone.live_records == 0);
  --deletions_;
  bytes_ -= gone.size_bytes;
  files_.erase(id);
}

void spill_files::delete_failed(spill_file_id id) {
  // Nobody tries again.
  if (abandoning_)
    return deleted(id);
  auto& stuck = get(id);
  MOBULA_ASSERT(stuck.state == file_state::deleting);
  --deletions_;
  stuck.state = file_state::delete_failed;
  ++failed_deletions_;
}

void spill_files::retry_deletions(spill_effects& effects) {
  std::vector<spill_file_id> stuck;
  for (const auto& [id, entry] : files_)
    if (entry.state == file_state::delete_failed)
      stuck.push_back(id);
  std::ranges::sort(stuck); // A replay must see the same order.
  for (auto id : stuck) {
    get(id).state = file_state::closed;
    --failed_deletions_;
    delete_if_dead(id, effects);
  }
}

void spill_files::retry_moves() {
  for (auto& [id, entry] : files_)
    if (std::exchange(entry.move_failed, false))
      update_sparse(id);
}

std::size_t spill_files::abandon() {
  abandoning_ = true;
  auto abandoned = std::erase_if(files_, [this](const auto& each) {
    if (each.second.state != file_state::delete_failed)
      return false;
    bytes_ -= each.second.size_bytes;
    return true;
  });
  failed_deletions_ = 0;
  return abandoned;
}

// -- properties -----------------------------------------------------------------------------------

void spill_files::check_file(spill_file_id id, const file& entry) const {
  auto dying = entry.state == file_state::deleting || entry.state == file_state::delete_failed;
  MOBULA_ASSERT(dying == (entry.live_records == 0 && !entry.writing));
  MOBULA_ASSERT(entry.state == file_state::open || !entry.writing);
  MOBULA_ASSERT(entry.records.size() >= entry.live_records);
  MOBULA_ASSERT(sparse_.contains(id) == is_sparse(entry));
  MOBULA_ASSERT(entry.live_bytes <= entry.size_bytes);
  MOBULA_ASSERT(entry.size_bytes <= bounds_.max_file_bytes || entry.live_records <= 1);
  const auto& open = open_.at(static_cast<std::size_t>(entry.directory));
  MOBULA_ASSERT((std::ranges::count(open, id) == 1) == (entry.state == file_state::open));
}

void spill_files::check_invariants(std::size_t writing) const {
  struct {
    std::uint64_t bytes = 0;
    std::uint64_t live_bytes = 0;
    std::size_t writing = 0;
    std::size_t deleting = 0;
    std::size_t failed = 0;
  } sum;
  for (const auto& [id, entry] : files_) {
    check_file(id, entry);
    sum.bytes += entry.size_bytes;
    sum.live_bytes += entry.live_bytes;
    sum.writing += entry.writing ? 1 : 0;
    sum.deleting += entry.state == file_state::deleting ? 1 : 0;
    sum.failed += entry.state == file_state::delete_failed ? 1 : 0;
  }
  MOBULA_ASSERT(sum.bytes == bytes_ && sum.live_bytes == live_bytes_);
  MOBULA_ASSERT(sum.writing == writing && sum.deleting == deletions_);
  MOBULA_ASSERT(sum.failed == failed_deletions_);
  MOBULA_ASSERT(std::ranges::all_of(sparse_, [&](auto id) { return files_.contains(id); }));
}

} // namespace mobula
