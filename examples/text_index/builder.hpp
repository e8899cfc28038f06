#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages.hpp"
#include "work_plan.hpp"

namespace text_index {

/// The actors that a builder gives work to.
struct workforce {
  reader_actor reader;
  std::vector<indexer_actor> indexers;
  std::vector<merger_actor> mergers;
  /// Told after each batch; may be null.
  progress_actor progress;
  /// How many nodes, this one among them, there must be before the work begins. With 0, nobody else
  /// can enlist, and the builder ends with its answer.
  std::size_t least_nodes = 0;
};

/// Keeps the workers busy until there is one index for each partition, then stops them. Bounded: at
/// most two batches for each indexer are read but not indexed, and none is read while the mergers
/// lag behind.
///
/// Workers of other nodes may come at any time. When one of these nodes is lost, what it did and
/// was lost with it is done again by the others; the result is the same.
class builder_state {
public:
  using answer_type = caf::typed_response_promise<built_index>;
  using end_type = caf::typed_response_promise<work_ended>;

  void init(builder_actor::pointer self, workforce workers, std::size_t partitions);

  /// Starts. REQUIRES: not called before.
  answer_type build();

  /// Workers of another node are at our disposal.
  void add(enlist& message);

  /// REQUIRES: the index was built, or is given up.
  end_type end();

  /// Workers that failed are tried again.
  void rested();

private:
  enum class standing : std::uint8_t { working, being_dismissed, dismissed };

  /// The workers of a node.
  struct team {
    foreman_actor foreman; ///< null at home
    std::vector<indexer_actor> indexers;
    std::vector<merger_actor> mergers;
    node_share share;
    standing now = standing::working;
  };

  // -- steps --------------------------------------------------------------------------------------

  /// Starts all that can be started. Called after every event.
  void proceed();

  void read();
  void batch_arrived(batch_read& message);
  void index(team_number team, const indexer_actor& worker, index_task task);
  void merge(team_number team, const merger_actor& worker, merge_task task);
  void finish();

  /// Gives up: the first error is the answer.
  void fail(caf::error reason);

  void stop();

  // -- failures -----------------------------------------------------------------------------------

  /// A node is gone.
  void lose(const caf::down_msg& message);

  /// A worker could not do its task.
  template <class Worker>
  void failed(team_number team, const Worker& worker, task_number task, caf::error& reason);

  // -- the end ------------------------------------------------------------------------------------

  /// Has the workers of another node stopped.
  void dismiss_team(team_number number);

  void dismissed(team_number number, std::string left);

  // -- workers ------------------------------------------------------------------------------------

  template <class Worker>
  using worker_list = std::vector<std::pair<team_number, Worker>>;

  team_number add_team(team added);

  [[nodiscard]] team& team_at(team_number number) {
    return teams_[static_cast<std::size_t>(number)];
  }

  [[nodiscard]] bool is_lost(team_number number) {
    return team_at(number).share.fate == node_fate::lost;
  }

  worker_list<indexer_actor>& idle_list(const indexer_actor&) {
    return idle_indexers_;
  }

  worker_list<merger_actor>& idle_list(const merger_actor&) {
    return idle_mergers_;
  }

  worker_list<indexer_actor>& resting_list(const indexer_actor&) {
    return resting_indexers_;
  }

  worker_list<merger_actor>& resting_list(const merger_actor&) {
    return resting_mergers_;
  }

  template <class Worker>
  void make_idle(team_number team, const Worker& worker) {
    if (!is_lost(team))
      idle_list(worker).emplace_back(team, worker);
  }

  /// Sends a request, whose answer goes to `on_answer` or `on_error` unless it is all over by then.
  template <class Answer, class Worker, class Request, class F, class G>
  void ask(const Worker& worker, Request request, F on_answer, G on_error) {
    self_->request(worker, caf::infinite, std::move(request))
      .then(
        [this, on_answer](Answer& answer) {
          if (ended_)
            return;
          on_answer(answer);
          proceed();
        },
        [this, on_error](caf::error& reason) {
          if (ended_)
            return;
          on_error(reason);
          proceed();
        });
  }

  template <class T>
  static T take_last(std::vector<T>& list) {
    auto result = std::move(list.back());
    list.pop_back();
    return result;
  }

  // -- conditions ---------------------------------------------------------------------------------

  [[nodiscard]] bool may_read() const noexcept;
  [[nodiscard]] std::size_t indexers() const noexcept;

  builder_actor::pointer self_ = nullptr;
  reader_actor reader_;
  progress_actor progress_;
  std::size_t least_nodes_ = 0;
  std::size_t partitions_ = 0;
  std::optional<work_plan> plan_;
  answer_type answer_;
  end_type end_answer_;

  std::vector<team> teams_; ///< home first; those that are lost stay, for their numbers
  worker_list<indexer_actor> idle_indexers_;
  worker_list<merger_actor> idle_mergers_;
  worker_list<indexer_actor> resting_indexers_; ///< failed a short time ago
  worker_list<merger_actor> resting_mergers_;
  std::size_t pauses_ = 0;      ///< since the last success
  std::size_t undismissed_ = 0; ///< teams that are being dismissed
  bool resting_ = false;        ///< some do, and are woken together
  bool started_ = false;
  bool reading_ = false;
  bool all_read_ = false;
  bool ended_ = false;

  built_index result_;
  caf::actor_clock::time_point begin_;  ///< when reading began
  std::vector<build_progress> batches_; ///< what the plan's batches add to the total, once
};

builder_actor::behavior_type builder(builder_actor::stateful_pointer<builder_state> self,
                                     workforce workers, std::size_t partitions);

} // namespace text_index
