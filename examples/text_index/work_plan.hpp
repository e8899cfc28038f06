#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "messages.hpp"

namespace text_index {

/// Names a node's workers.
enum class team_number : std::size_t {};

/// The node that gives out the work. It cannot be lost: the work is lost with it.
constexpr team_number home_team{0};

/// Names a task that a worker is busy with.
enum class task_number : std::uint64_t {};

/// Names a batch, in the order in which they were read.
using batch_number = std::size_t;

struct index_task {
  task_number number{};
  batch_number batch = 0;
  mobula::ObjectRef<text_batch> texts;
  std::vector<partition_number> partitions; ///< those that are wanted
};

struct merge_task {
  task_number number{};
  std::vector<index_ref> parts;
};

/// What was lost with a node, and is done again.
struct plan_loss {
  std::uint64_t indexes = 0; ///< that it owned and that were in nobody else's hands
  std::uint64_t tasks = 0;   ///< that it was busy with
  std::uint64_t batches = 0; ///< to be indexed once more, because of either
};

/// Decides what is indexed and merged next, and what is to be done again when a node is lost.
///
/// *The idea.* An index is owned by the node that made it, and is lost with it; the texts are home
/// and are not. So each index remembers which batches it is of, and if it is lost these batches
/// are indexed again, for its partition only.
///
/// *Invariant.* Of each batch that was added and each partition there is one of these: a task to
/// index it that waits or runs, an index in the queue, or an index that is being merged.
///
/// The oldest indexes of a partition are merged first, so that each word is merged a logarithmic
/// number of times. The last merge of a partition is done at home: what is ready cannot be lost.
class work_plan {
public:
  /// `fan_in`: how many indexes are merged at once. REQUIRES: at least 2.
  work_plan(std::size_t partitions, std::size_t fan_in);

  // -- events -------------------------------------------------------------------------------------

  void add_batch(mobula::ObjectRef<text_batch> texts);

  /// No more batches will come.
  void close() noexcept {
    closed_ = true;
  }

  /// Returns the next task for a worker of that team, if there is one by now.
  std::optional<index_task> next_index(team_number team);
  std::optional<merge_task> next_merge(team_number team);

  /// A task is done: there is one index for each partition that was wanted. Returns whether it
  /// still counts, and not if its team is lost.
  bool indexed(task_number task, std::vector<index_ref> indexes);
  bool merged(task_number task, index_ref sum);

  /// A worker could not do a task: others may. Ignored if its team is lost.
  void put_back(task_number task);

  /// A node is gone, and what it owned with it. REQUIRES: not home; not lost before.
  plan_loss lose(team_number team);

  /// Takes the result: at most one index for each partition. REQUIRES: `done()`.
  std::vector<index_ref> take();

  // -- properties ---------------------------------------------------------------------------------

  /// Number of tasks to index that wait or run.
  [[nodiscard]] std::size_t indexing() const noexcept {
    return unindexed_.size() + running_indexers_;
  }

  /// Number of indexes that wait to be merged.
  [[nodiscard]] std::size_t waiting() const noexcept;

  /// Returns whether each partition is down to one index at home, or none if there never was one.
  [[nodiscard]] bool done() const noexcept;

  /// Throws `std::logic_error` if the invariant does not hold. O(n).
  void check_invariants() const;

private:
  struct index_work {
    batch_number batch = 0;
    std::vector<partition_number> partitions;
  };

  /// An index, and what is lost with its owner.
  struct piece {
    index_ref index;
    team_number owner{};
    std::vector<batch_number> batches;
  };

  struct merge_work {
    partition_number partition = 0;
    std::vector<piece> pieces;
  };

  struct running_task {
    team_number team{};
    std::variant<index_work, merge_work> work;
  };

  /// The indexes of one partition.
  struct queue {
    std::deque<piece> pieces;
    std::size_t merges = 0; ///< that run
  };

  /// What is missing: of which batches, in which partitions.
  using gaps = std::map<batch_number, std::vector<partition_number>>;

  [[nodiscard]] bool is_last_merge(const queue& candidate) const noexcept;
  merge_task start_merge(partition_number partition, std::size_t count, team_number team);
  void put_back(index_work work);
  /// Returns the number of indexes that are lost.
  std::uint64_t put_back(merge_work work, gaps& missing);
  void fill(const gaps& missing);

  std::vector<queue> queues_;
  std::size_t fan_in_;
  bool closed_ = false;
  std::vector<mobula::ObjectRef<text_batch>> batches_; ///< kept, in case they are needed again
  std::deque<index_work> unindexed_;
  std::map<task_number, running_task> running_;
  std::size_t running_indexers_ = 0;
  std::set<team_number> lost_;
  std::uint64_t last_task_ = 0;
};

} // namespace text_index
