#include "builder.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace text_index {

namespace {

constexpr std::size_t merge_fan_in = 8;

} // namespace

// -- merge_plan -----------------------------------------------------------------------------------

merge_plan::merge_plan(std::size_t partitions, std::size_t fan_in)
  : queues_(partitions), fan_in_(fan_in) {
  // nop
}

void merge_plan::add(std::size_t partition, index_ref index) {
  queues_[partition].indexes.push_back(std::move(index));
}

std::optional<merge_plan::task> merge_plan::next() {
  auto found =
    std::ranges::find_if(queues_, [this](const queue& each) { return worth_a_task(each); });
  if (found == queues_.end())
    return std::nullopt;
  auto& indexes = found->indexes;
  auto count = static_cast<std::ptrdiff_t>(std::min(fan_in_, indexes.size()));
  task result{.partition = static_cast<std::size_t>(found - queues_.begin()), .parts = {}};
  result.parts.assign(std::make_move_iterator(indexes.begin()),
                      std::make_move_iterator(indexes.begin() + count));
  indexes.erase(indexes.begin(), indexes.begin() + count);
  ++found->tasks;
  return result;
}

bool merge_plan::worth_a_task(const queue& candidate) const noexcept {
  auto waiting = candidate.indexes.size();
  return waiting >= fan_in_ || (closed_ && waiting >= 2);
}

void merge_plan::task_ended(std::size_t partition) noexcept {
  --queues_[partition].tasks;
}

std::size_t merge_plan::waiting() const noexcept {
  return std::transform_reduce(queues_.begin(), queues_.end(), std::size_t{0}, std::plus{},
                               [](const queue& each) { return each.indexes.size(); });
}

bool merge_plan::done() const noexcept {
  return closed_ && std::ranges::all_of(queues_, [](const queue& each) {
           return each.tasks == 0 && each.indexes.size() <= 1;
         });
}

std::vector<index_ref> merge_plan::take() {
  std::vector<index_ref> result;
  for (auto& each : queues_)
    if (!each.indexes.empty())
      result.push_back(std::move(each.indexes.front()));
  queues_.clear();
  return result;
}

// -- builder_state --------------------------------------------------------------------------------

void builder_state::init(builder_actor::pointer self, workforce workers, std::size_t partitions) {
  self_ = self;
  workers_ = std::move(workers);
  idle_indexers_ = workers_.indexers;
  idle_mergers_ = workers_.mergers;
  partitions_ = partitions;
  merges_.emplace(partitions, merge_fan_in);
}

builder_state::answer_type builder_state::build() {
  answer_ = self_->make_response_promise<built_index>();
  proceed();
  return answer_;
}

// -- steps ----------------------------------------------------------------------------------------

void builder_state::proceed() {
  if (ended_)
    return;
  if (may_read())
    read();
  while (!batches_.empty() && !idle_indexers_.empty()) {
    auto batch = std::move(batches_.front());
    batches_.pop_front();
    index(take_last(idle_indexers_), batch);
  }
  if (all_indexed())
    merges_->close();
  while (!idle_mergers_.empty()) {
    auto task = merges_->next();
    if (!task)
      break;
    merge(take_last(idle_mergers_), std::move(*task));
  }
  if (merges_->done())
    finish();
}

void builder_state::read() {
  reading_ = true;
  ask<batch_read>(workers_.reader, read_batch{}, [this](batch_read& answer) {
    reading_ = false;
    batch_arrived(answer);
  });
}

void builder_state::batch_arrived(batch_read& message) {
  std::ranges::move(message.skipped, std::back_inserter(result_.skipped));
  result_.total.skipped = result_.skipped.size();
  if (message.batch.empty())
    all_read_ = true;
  else
    batches_.push_back(std::move(message));
}

void builder_state::index(indexer_actor worker, const batch_read& batch) {
  ask<batch_indexed>(worker, index_batch{batch.batch}, [=, this](batch_indexed& answer) {
    idle_indexers_.push_back(worker);
    batch_done(batch, answer);
  });
}

void builder_state::batch_done(const batch_read& batch, batch_indexed& message) {
  for (std::size_t partition = 0; partition < message.partitions.size(); ++partition)
    merges_->add(partition, std::move(message.partitions[partition]));
  result_.total.files += batch.files;
  result_.total.bytes += batch.bytes;
  result_.total.words += message.words;
  if (workers_.progress)
    self_->send(workers_.progress, result_.total);
}

void builder_state::merge(merger_actor worker, merge_plan::task task) {
  auto partition = task.partition;
  ask<indexes_merged>(worker, merge_indexes{std::move(task.parts)},
                      [this, worker, partition](indexes_merged& answer) {
                        idle_mergers_.push_back(worker);
                        merges_->add(partition, std::move(answer.sum));
                        merges_->task_ended(partition);
                      });
}

void builder_state::finish() {
  ended_ = true;
  result_.partitions = merges_->take();
  answer_.deliver(std::move(result_));
  stop();
}

void builder_state::fail(caf::error reason) {
  if (ended_)
    return;
  ended_ = true;
  answer_.deliver(std::move(reason));
  stop();
}

void builder_state::stop() {
  for (const auto& worker : workers_.indexers)
    self_->send_exit(worker, caf::exit_reason::user_shutdown);
  for (const auto& worker : workers_.mergers)
    self_->send_exit(worker, caf::exit_reason::user_shutdown);
  self_->send_exit(workers_.reader, caf::exit_reason::user_shutdown);
  if (workers_.progress)
    self_->send_exit(workers_.progress, caf::exit_reason::user_shutdown);
  self_->quit();
}

// -- conditions -----------------------------------------------------------------------------------

bool builder_state::may_read() const noexcept {
  auto indexing = workers_.indexers.size() - idle_indexers_.size();
  auto max_batches = 2 * workers_.indexers.size();
  // With this many waiting, one partition has enough for a task: the mergers cannot be idle.
  auto max_merges = 2 * merge_fan_in * partitions_;
  return !reading_ && !all_read_ && batches_.size() + indexing < max_batches
         && merges_->waiting() < max_merges;
}

bool builder_state::all_indexed() const noexcept {
  return all_read_ && batches_.empty() && idle_indexers_.size() == workers_.indexers.size();
}

builder_actor::behavior_type builder(builder_actor::stateful_pointer<builder_state> self,
                                     workforce workers, std::size_t partitions) {
  auto& state = self->state;
  state.init(self, std::move(workers), partitions);
  return {
    [&state](build_index) { return state.build(); },
  };
}

} // namespace text_index
