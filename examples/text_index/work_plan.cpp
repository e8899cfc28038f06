// Decides what is indexed and merged next, and what must be done again when a team of workers is
// lost. Without actors and I/O, so that tests can try every order.

#include "work_plan.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace text_index {

work_plan::work_plan(std::size_t partitions, std::size_t fan_in)
  : queues_(partitions), fan_in_(fan_in) {
  // nop
}

// -- giving out -----------------------------------------------------------------------------------

void work_plan::add_batch(mobula::ObjectRef<text_batch> texts) {
  std::vector<partition_number> all(queues_.size());
  std::iota(all.begin(), all.end(), partition_number{0});
  unindexed_.push_back({.batch = batches_.size(), .partitions = std::move(all)});
  batches_.push_back(std::move(texts));
}

std::optional<index_task> work_plan::next_index(team_number team) {
  if (unindexed_.empty())
    return std::nullopt;
  auto work = std::move(unindexed_.front());
  unindexed_.pop_front();
  index_task result{.number = task_number{++last_task_},
                    .batch = work.batch,
                    .texts = batches_[work.batch],
                    .partitions = work.partitions};
  running_.emplace(result.number, running_task{.team = team, .work = std::move(work)});
  ++running_indexers_;
  return result;
}

std::optional<merge_task> work_plan::next_merge(team_number team) {
  for (std::size_t index = 0; index < queues_.size(); ++index) {
    auto partition = static_cast<partition_number>(index);
    auto& candidate = queues_[index];
    if (candidate.pieces.size() >= fan_in_)
      return start_merge(partition, fan_in_, team);
    if (team == home_team && is_last_merge(candidate))
      return start_merge(partition, candidate.pieces.size(), team);
  }
  return std::nullopt;
}

bool work_plan::is_last_merge(const queue& candidate) const noexcept {
  if (!closed_ || indexing() > 0 || candidate.merges > 0 || candidate.pieces.empty())
    return false;
  return candidate.pieces.size() > 1 || candidate.pieces.front().owner != home_team;
}

merge_task work_plan::start_merge(partition_number partition, std::size_t count, team_number team) {
  auto& from = queues_[partition];
  merge_work work{.partition = partition, .pieces = {}};
  merge_task result{.number = task_number{++last_task_}, .parts = {}};
  for (; count > 0; --count) {
    result.parts.push_back(from.pieces.front().index);
    work.pieces.push_back(std::move(from.pieces.front()));
    from.pieces.pop_front();
  }
  ++from.merges;
  running_.emplace(result.number, running_task{.team = team, .work = std::move(work)});
  return result;
}

// -- taking in ------------------------------------------------------------------------------------

bool work_plan::indexed(task_number task, std::vector<index_ref> indexes) {
  auto ended = running_.extract(task);
  if (ended.empty())
    return false;
  --running_indexers_;
  auto& [team, work] = ended.mapped();
  const auto& about = std::get<index_work>(work);
  for (std::size_t i = 0; i < about.partitions.size(); ++i)
    queues_[about.partitions[i]].pieces.push_back(
      {.index = std::move(indexes.at(i)), .owner = team, .batches = {about.batch}});
  return true;
}

bool work_plan::merged(task_number task, index_ref sum) {
  auto ended = running_.extract(task);
  if (ended.empty())
    return false;
  auto& [team, work] = ended.mapped();
  auto& about = std::get<merge_work>(work);
  piece result{.index = std::move(sum), .owner = team, .batches = {}};
  for (const auto& each : about.pieces)
    result.batches.insert(result.batches.end(), each.batches.begin(), each.batches.end());
  auto& into = queues_[about.partition];
  into.pieces.push_back(std::move(result));
  --into.merges;
  return true;
}

// -- failures -------------------------------------------------------------------------------------

void work_plan::put_back(task_number task) {
  auto ended = running_.extract(task);
  if (ended.empty())
    return;
  gaps missing;
  if (auto* work = std::get_if<index_work>(&ended.mapped().work))
    put_back(std::move(*work));
  else
    put_back(std::get<merge_work>(std::move(ended.mapped().work)), missing);
  fill(missing);
}

void work_plan::put_back(index_work work) {
  --running_indexers_;
  unindexed_.push_front(std::move(work));
}

std::uint64_t work_plan::put_back(merge_work work, gaps& missing) {
  auto& into = queues_[work.partition];
  --into.merges;
  std::uint64_t lost = 0;
  for (auto& each : work.pieces) {
    if (!lost_.contains(each.owner)) {
      into.pieces.push_front(std::move(each));
      continue;
    }
    ++lost;
    for (auto batch : each.batches)
      missing[batch].push_back(work.partition);
  }
  return lost;
}

plan_loss work_plan::lose(team_number team) {
  lost_.insert(team);
  plan_loss result;
  gaps missing;
  for (auto each = running_.begin(); each != running_.end();) {
    if (each->second.team != team) {
      ++each;
      continue;
    }
    ++result.tasks;
    if (auto* work = std::get_if<index_work>(&each->second.work)) {
      ++result.batches;
      put_back(std::move(*work));
    } else {
      result.indexes += put_back(std::get<merge_work>(std::move(each->second.work)), missing);
    }
    each = running_.erase(each);
  }
  for (std::size_t partition = 0; partition < queues_.size(); ++partition)
    result.indexes += std::erase_if(queues_[partition].pieces, [&](const piece& each) {
      if (each.owner != team)
        return false;
      for (auto batch : each.batches)
        missing[batch].push_back(static_cast<partition_number>(partition));
      return true;
    });
  result.batches += missing.size();
  fill(missing);
  return result;
}

void work_plan::fill(const gaps& missing) {
  for (const auto& [batch, partitions] : missing)
    unindexed_.push_front({.batch = batch, .partitions = partitions});
}

// -- the result -----------------------------------------------------------------------------------

std::size_t work_plan::waiting() const noexcept {
  return std::transform_reduce(queues_.begin(), queues_.end(), std::size_t{0}, std::plus{},
                               [](const queue& each) { return each.pieces.size(); });
}

bool work_plan::done() const noexcept {
  return closed_ && indexing() == 0 && std::ranges::all_of(queues_, [](const queue& each) {
           return each.merges == 0
                  && (each.pieces.empty()
                      || (each.pieces.size() == 1 && each.pieces.front().owner == home_team));
         });
}

void work_plan::check_invariants() const {
  // How often each batch is in each partition.
  std::vector<std::vector<int>> found(queues_.size(), std::vector<int>(batches_.size()));
  auto count_work = [&](const index_work& work) {
    for (auto partition : work.partitions)
      ++found[partition][work.batch];
  };
  auto count_piece = [&](std::size_t partition, const piece& each) {
    for (auto batch : each.batches)
      ++found[partition][batch];
  };
  std::ranges::for_each(unindexed_, count_work);
  for (const auto& [number, task] : running_) {
    if (const auto* work = std::get_if<index_work>(&task.work))
      count_work(*work);
    else
      for (const auto& each : std::get<merge_work>(task.work).pieces)
        count_piece(std::get<merge_work>(task.work).partition, each);
  }
  for (std::size_t partition = 0; partition < queues_.size(); ++partition)
    for (const auto& each : queues_[partition].pieces)
      count_piece(partition, each);
  for (const auto& partition : found)
    if (std::ranges::any_of(partition, [](int times) { return times != 1; }))
      throw std::logic_error("a batch is not in each partition once");
}

std::vector<index_ref> work_plan::take() {
  std::vector<index_ref> result;
  for (auto& each : queues_)
    if (!each.pieces.empty())
      result.push_back(std::move(each.pieces.front().index));
  queues_.clear();
  batches_.clear();
  return result;
}

} // namespace text_index
