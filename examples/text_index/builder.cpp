// The actor that has an index built: hands texts to indexers and indexes to mergers as the work
// plan says, and has done again what was lost with a node.

#include "builder.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace text_index {

namespace {

constexpr std::size_t merge_fan_in = 8;

/// A node may hear of another one's loss before this one does. What it cannot read then is tried
/// again, after a pause and so often without a success: longer than it takes CAF to notice a silent
/// node, however many workers fail meanwhile.
constexpr auto pause = std::chrono::milliseconds{100};
constexpr std::size_t max_pauses = 1000;

/// Returns whether a node's death is at the root of it: workers wrap what they met.
bool comes_from_a_loss(const mobula::error_info& error) {
  return error.type == mobula::error_type::owner_died
         || std::ranges::any_of(error.causes, comes_from_a_loss);
}

/// Returns whether a task failed only because of where it was done.
bool may_be_tried_again(const caf::error& reason) {
  // A node that is shutting down reads no references any more: its actors get an empty message.
  return reason == caf::sec::request_receiver_down || reason == caf::sec::unexpected_message
         || reason == caf::exit_reason::remote_link_unreachable
         || comes_from_a_loss(mobula::to_error_info(reason));
}

} // namespace

void builder_state::init(builder_actor::pointer self, workforce workers, std::size_t partitions) {
  self_ = self;
  reader_ = std::move(workers.reader);
  progress_ = std::move(workers.progress);
  least_nodes_ = workers.least_nodes;
  partitions_ = partitions;
  plan_.emplace(partitions, merge_fan_in);
  self->set_down_handler([this](const caf::down_msg& message) { lose(message); });
  add_team({.foreman = {},
            .indexers = std::move(workers.indexers),
            .mergers = std::move(workers.mergers),
            .share = {}});
}

builder_state::answer_type builder_state::build() {
  answer_ = self_->make_response_promise<built_index>();
  started_ = true;
  proceed();
  return answer_;
}

// -- workers --------------------------------------------------------------------------------------

void builder_state::add(enlist& message) {
  // Too late, or never asked for: who enlists learns it when this actor ends.
  if (ended_ || least_nodes_ == 0)
    return;
  self_->monitor(message.foreman);
  add_team({.foreman = std::move(message.foreman),
            .indexers = std::move(message.indexers),
            .mergers = std::move(message.mergers),
            .share = {.node = std::move(message.node), .left = {}}});
  proceed();
}

team_number builder_state::add_team(team added) {
  team_number number{teams_.size()};
  for (const auto& worker : added.indexers)
    idle_indexers_.emplace_back(number, worker);
  for (const auto& worker : added.mergers)
    idle_mergers_.emplace_back(number, worker);
  teams_.push_back(std::move(added));
  return number;
}

// -- steps ----------------------------------------------------------------------------------------

void builder_state::proceed() {
  if (ended_ || !started_ || teams_.size() < least_nodes_)
    return;
  if (may_read())
    read();
  while (!idle_indexers_.empty()) {
    auto task = plan_->next_index(idle_indexers_.back().first);
    if (!task)
      break;
    auto [team, worker] = take_last(idle_indexers_);
    index(team, worker, std::move(*task));
  }
  // Not all mergers get the same tasks: each is asked for.
  for (auto left = idle_mergers_.size(); left > 0; --left) {
    auto [team, worker] = idle_mergers_[left - 1];
    auto task = plan_->next_merge(team);
    if (!task)
      continue;
    idle_mergers_.erase(idle_mergers_.begin() + static_cast<std::ptrdiff_t>(left - 1));
    merge(team, worker, std::move(*task));
  }
  if (plan_->done())
    finish();
}

void builder_state::read() {
  reading_ = true;
  if (batches_.empty())
    begin_ = self_->clock().now();
  ask<batch_read>(
    reader_, read_batch{},
    [this](batch_read& answer) {
      reading_ = false;
      batch_arrived(answer);
    },
    [this](caf::error& reason) { fail(std::move(reason)); });
}

void builder_state::batch_arrived(batch_read& message) {
  std::ranges::move(message.skipped, std::back_inserter(result_.skipped));
  result_.total.skipped = result_.skipped.size();
  if (message.batch.empty()) {
    all_read_ = true;
    plan_->close();
    return;
  }
  plan_->add_batch(std::move(message.batch));
  batches_.push_back({.files = message.files, .skipped = 0, .bytes = message.bytes, .words = 0});
}

void builder_state::index(team_number team, const indexer_actor& worker, index_task task) {
  auto number = task.number;
  ask<batch_indexed>(
    worker, index_batch{std::move(task.texts), partitions_, std::move(task.partitions)},
    [=, this, batch = task.batch](batch_indexed& answer) {
      pauses_ = 0;
      make_idle(team, worker);
      if (!plan_->indexed(number, std::move(answer.partitions)))
        return;
      ++team_at(team).share.batches;
      auto counted = std::exchange(batches_[batch], {});
      if (counted.files == 0)
        return;
      result_.total.files += counted.files;
      result_.total.bytes += counted.bytes;
      result_.total.words += answer.words;
      if (progress_)
        self_->send(progress_, result_.total);
    },
    [=, this](caf::error& reason) { failed(team, worker, number, reason); });
}

void builder_state::merge(team_number team, const merger_actor& worker, merge_task task) {
  auto number = task.number;
  ask<indexes_merged>(
    worker, merge_indexes{std::move(task.parts)},
    [=, this](indexes_merged& answer) {
      pauses_ = 0;
      make_idle(team, worker);
      if (plan_->merged(number, std::move(answer.sum)))
        ++team_at(team).share.merges;
    },
    [=, this](caf::error& reason) { failed(team, worker, number, reason); });
}

void builder_state::finish() {
  ended_ = true;
  result_.partitions = plan_->take();
  result_.time = self_->clock().now() - begin_;
  plan_.reset();
  answer_.deliver(std::move(result_));
  stop();
}

void builder_state::fail(caf::error reason) {
  if (ended_)
    return;
  ended_ = true;
  plan_.reset();
  answer_.deliver(std::move(reason));
  stop();
  self_->quit();
}

void builder_state::stop() {
  for (const auto& worker : teams_.front().indexers)
    self_->send_exit(worker, caf::exit_reason::user_shutdown);
  for (const auto& worker : teams_.front().mergers)
    self_->send_exit(worker, caf::exit_reason::user_shutdown);
  self_->send_exit(reader_, caf::exit_reason::user_shutdown);
  if (progress_)
    self_->send_exit(progress_, caf::exit_reason::user_shutdown);
  // The others hear from `end`.
  if (least_nodes_ == 0)
    self_->quit();
}

// -- failures -------------------------------------------------------------------------------------

void builder_state::lose(const caf::down_msg& message) {
  auto gone = std::ranges::find_if(teams_, [&](const team& each) {
    return each.foreman && each.share.fate == node_fate::stayed && each.now != standing::dismissed
           && each.foreman.address() == message.source;
  });
  if (gone == teams_.end())
    return;
  gone->share.fate = node_fate::lost;
  team_number number{static_cast<std::size_t>(gone - teams_.begin())};
  if (gone->now == standing::being_dismissed)
    return dismissed(number, {});
  auto is_of_team = [&](const auto& each) {
    return each.first == number;
  };
  std::erase_if(idle_indexers_, is_of_team);
  std::erase_if(idle_mergers_, is_of_team);
  std::erase_if(resting_indexers_, is_of_team);
  std::erase_if(resting_mergers_, is_of_team);
  if (!plan_)
    return;
  auto loss = plan_->lose(number);
  gone->share.lost_indexes = loss.indexes;
  gone->share.lost_tasks = loss.tasks;
  gone->share.again = loss.batches;
  proceed();
}

template <class Worker>
void builder_state::failed(team_number team, const Worker& worker, task_number task,
                           caf::error& reason) {
  if (is_lost(team))
    return;
  auto begins_a_pause = !std::exchange(resting_, true);
  if (begins_a_pause)
    ++pauses_;
  if (!may_be_tried_again(reason) || pauses_ > max_pauses)
    return fail(std::move(reason));
  plan_->put_back(task);
  resting_list(worker).emplace_back(team, worker);
  if (begins_a_pause)
    self_->delayed_send(self_, pause, rest_over{});
}

void builder_state::rested() {
  resting_ = false;
  std::ranges::move(resting_indexers_, std::back_inserter(idle_indexers_));
  std::ranges::move(resting_mergers_, std::back_inserter(idle_mergers_));
  resting_indexers_.clear();
  resting_mergers_.clear();
  proceed();
}

// -- the end --------------------------------------------------------------------------------------

builder_state::end_type builder_state::end() {
  end_answer_ = self_->make_response_promise<work_ended>();
  for (std::size_t index = 0; index < teams_.size(); ++index) {
    auto& each = teams_[index];
    if (each.share.fate == node_fate::lost)
      continue;
    each.now = standing::being_dismissed;
    ++undismissed_;
    if (each.foreman)
      dismiss_team(team_number{index});
  }
  // Home needs no foreman. Last, as this may be the answer to it all.
  dismissed(home_team, {});
  return end_answer_;
}

void builder_state::dismiss_team(team_number number) {
  auto on_answer = [this, number](node_rest& answer) {
    dismissed(number, std::move(answer.left));
  };
  // An error says that the node is gone. `lose` is told that, too.
  self_->request(team_at(number).foreman, caf::infinite, dismiss{})
    .then(on_answer, [](caf::error&) {});
}

void builder_state::dismissed(team_number number, std::string left) {
  auto& which = team_at(number);
  which.now = standing::dismissed;
  which.share.left = std::move(left);
  if (--undismissed_ > 0)
    return;
  work_ended answer;
  for (const auto& each : teams_)
    answer.shares.push_back(each.share);
  end_answer_.deliver(std::move(answer));
  self_->quit();
}

// -- conditions -----------------------------------------------------------------------------------

std::size_t builder_state::indexers() const noexcept {
  std::size_t result = 0;
  for (const auto& each : teams_)
    if (each.share.fate == node_fate::stayed)
      result += each.indexers.size();
  return result;
}

bool builder_state::may_read() const noexcept {
  // With this many waiting, one partition has enough for a task: the mergers cannot be idle.
  auto max_merges = 2 * merge_fan_in * partitions_;
  return !reading_ && !all_read_ && plan_->indexing() < 2 * indexers()
         && plan_->waiting() < max_merges;
}

builder_actor::behavior_type builder(builder_actor::stateful_pointer<builder_state> self,
                                     workforce workers, std::size_t partitions) {
  auto& state = self->state;
  state.init(self, std::move(workers), partitions);
  return {
    [&state](build_index) { return state.build(); },
    [&state](enlist& message) { state.add(message); },
    [&state](end_work) { return state.end(); },
    [&state](rest_over) { state.rested(); },
  };
}

} // namespace text_index
