#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "messages.hpp"

namespace text_index {

/// Decides which indexes are merged next. The oldest go first, so that each word is merged a
/// logarithmic number of times.
class merge_plan {
public:
  struct task {
    std::size_t partition = 0;
    std::vector<index_ref> parts;
  };

  /// `fan_in`: how many indexes are merged at once. REQUIRES: at least 2.
  merge_plan(std::size_t partitions, std::size_t fan_in);

  /// Adds an index to a partition: one of an indexer, or the sum of a task.
  void add(std::size_t partition, index_ref index);

  /// No more indexes will come but the sums of tasks: smaller tasks may be made.
  void close() noexcept {
    closed_ = true;
  }

  /// Returns the next task, if there is one by now.
  std::optional<task> next();

  /// The sum of a task was added or will never be.
  void task_ended(std::size_t partition) noexcept;

  /// Number of indexes that wait to be merged.
  [[nodiscard]] std::size_t waiting() const noexcept;

  /// Returns whether each partition is down to one index, or none if there never was one.
  [[nodiscard]] bool done() const noexcept;

  /// Takes the result. REQUIRES: `done()`.
  std::vector<index_ref> take();

private:
  struct queue {
    std::deque<index_ref> indexes;
    std::size_t tasks = 0;
  };

  [[nodiscard]] bool worth_a_task(const queue& candidate) const noexcept;

  std::vector<queue> queues_;
  std::size_t fan_in_;
  bool closed_ = false;
};

/// The actors that a builder gives work to.
struct workforce {
  reader_actor reader;
  std::vector<indexer_actor> indexers;
  std::vector<merger_actor> mergers;
  /// Told after each batch; may be null.
  progress_actor progress;
};

/// Keeps the workers busy until there is one index for each partition, then stops them. Bounded: at
/// most two batches for each indexer are read but not indexed, and none is read while the mergers
/// lag behind.
class builder_state {
public:
  using answer_type = caf::typed_response_promise<built_index>;

  void init(builder_actor::pointer self, workforce workers, std::size_t partitions);

  /// Starts. REQUIRES: not called before.
  answer_type build();

private:
  // -- steps --------------------------------------------------------------------------------------

  /// Starts all that can be started. Called after every event.
  void proceed();

  void read();
  void index(indexer_actor worker, const batch_read& batch);
  void merge(merger_actor worker, merge_plan::task task);

  void batch_arrived(batch_read& message);
  void batch_done(const batch_read& batch, batch_indexed& message);

  void finish();

  /// Gives up: the first error is the answer.
  void fail(caf::error reason);

  void stop();

  /// Sends a request, whose answer goes to `on_answer` unless it is all over by then.
  template <class Answer, class Worker, class Request, class F>
  void ask(const Worker& worker, Request request, F on_answer) {
    self_->request(worker, caf::infinite, std::move(request))
      .then(
        [this, on_answer](Answer& answer) {
          on_answer(answer);
          proceed();
        },
        [this](caf::error& reason) { fail(std::move(reason)); });
  }

  template <class T>
  static T take_last(std::vector<T>& list) {
    auto result = std::move(list.back());
    list.pop_back();
    return result;
  }

  // -- conditions ---------------------------------------------------------------------------------

  [[nodiscard]] bool may_read() const noexcept;
  [[nodiscard]] bool all_indexed() const noexcept;

  builder_actor::pointer self_ = nullptr;
  workforce workers_;
  std::size_t partitions_ = 0;
  std::optional<merge_plan> merges_;
  answer_type answer_;

  std::vector<indexer_actor> idle_indexers_;
  std::vector<merger_actor> idle_mergers_;
  /// Read, and waiting for an indexer.
  std::deque<batch_read> batches_;
  bool reading_ = false;
  bool all_read_ = false;
  bool ended_ = false;

  built_index result_;
};

builder_actor::behavior_type builder(builder_actor::stateful_pointer<builder_state> self,
                                     workforce workers, std::size_t partitions);

} // namespace text_index
