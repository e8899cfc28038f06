// Which records are read back next, and which with them.

#include "mobula/store/spill/spill_reads.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

void spill_reads::queue(const object_id& id, spill_entry& entry) {
  entry.where = spill_place::read_queued;
  entry.position = queue_.insert(queue_.end(), id);
}

void spill_reads::dequeue(const spill_entry& entry) {
  queue_.erase(entry.position);
}

void spill_reads::dispatch(spill_effects& effects) {
  while (!queue_.empty() && reads_.size() < config_.max_reads)
    start(queue_.front(), effects);
}

void spill_reads::start(const object_id& first, spill_effects& effects) {
  spill_read_id read{++named_};
  auto records = readable_from(first);
  for (const auto& record : records) {
    auto& entry = objects_.get(record.id, spill_place::read_queued);
    dequeue(entry);
    entry.where = spill_place::reading;
    entry.moved = false;
    entry.read = read;
  }
  reads_.emplace(read, records.size());
  const auto& where = records.front().location;
  effects.push_back(read_records{where.file, where.directory, std::move(records)});
}

/// Returns the record of `first` and those that wait for being read right behind it.
std::vector<record_to_read> spill_reads::readable_from(const object_id& first) {
  auto start = objects_.get(first, spill_place::read_queued).location;
  std::vector<record_to_read> result{{first, start}};
  const auto& records = files_.get(start.file).records;
  auto next = std::ranges::upper_bound(records, start.offset_bytes, {},
                                       &spill_files::file_record::offset_bytes);
  auto end = start.offset_bytes + start.record_bytes;
  for (; next != records.end() && next->offset_bytes == end; ++next) {
    const auto* entry = objects_.find_record(next->id, start.file, next->offset_bytes);
    if (entry == nullptr || entry->where != spill_place::read_queued)
      break;
    end += entry->record_bytes;
    if (end - start.offset_bytes > config_.read_bytes)
      break;
    result.push_back({next->id, entry->location});
  }
  return result;
}

spill_entry& spill_reads::end(const object_id& id) {
  auto& entry = objects_.get(id, spill_place::reading);
  auto read = reads_.find(entry.read);
  MOBULA_ASSERT(read != reads_.end());
  if (--read->second == 0)
    reads_.erase(read);
  return entry;
}

void spill_reads::check_invariants(std::size_t queued, std::size_t reading) const {
  std::size_t unanswered = 0;
  for (const auto& [read, records] : reads_)
    unanswered += records;
  MOBULA_ASSERT(queued == queue_.size() && reading == unanswered);
  MOBULA_ASSERT(reads_.size() <= config_.max_reads);
  MOBULA_ASSERT(queue_.empty() || reads_.size() == config_.max_reads);
}

} // namespace mobula
