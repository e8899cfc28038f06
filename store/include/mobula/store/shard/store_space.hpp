#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "mobula/store/shard/store_credit.hpp"
#include "mobula/store/shard/store_table.hpp"

namespace mobula {

/// Shares a node's `store_table` among its shards, which are actors.
///
/// Each event is one step under a mutex, so that the accounts are exact between any two, whoever
/// tells of them. Not an actor of its own: that would put a hop before every grant. A step is some
/// operations on tables and lists, for objects that are large, so that it costs less than the
/// message that led to it; page faults, copies and frees happen outside.
///
/// Effects for the shard whose event it is are handed to it; those for others wait in their
/// *outboxes*, and whoever put the first one there is told to wake them. Every shard carries out
/// what is in its outbox before its next event: only then what it tells follows from what the table
/// believes of it.
///
/// *Credit* is taken back and lent under the same mutex, at once: no shard has to be asked for it,
/// and none holds any while another one's request waits.
class store_space {
public:
  /// `max_lent_bytes` is how much credit may be out at most.
  store_space(const store_config& config, std::size_t max_lent_bytes);

  store_space(const store_space&) = delete;
  store_space& operator=(const store_space&) = delete;

  /// Runs an event of a shard that has carried out all effects; `event` is called with the table
  /// and a buffer. But if there are others by now, hands those over instead, and returns false.
  /// Appends effects, and to `woken` the shards that have to be told of theirs.
  template <class Event>
  [[nodiscard]] bool try_event(std::uint32_t shard, shard_effects& effects,
                               std::vector<std::uint32_t>& woken, Event event) {
    std::unique_lock guard{mutex_};
    if (!outboxes_[shard].empty()) {
      collect(shard, effects);
      return false;
    }
    event(table_, fresh_);
    distribute(shard, woken);
    collect(shard, effects);
    return true;
  }

  /// The same for the answer to an effect that is being carried out.
  template <class Event>
  void answer(std::uint32_t shard, shard_effects& effects, std::vector<std::uint32_t>& woken,
              Event event) {
    std::unique_lock guard{mutex_};
    event(table_, fresh_);
    distribute(shard, woken);
    collect(shard, effects);
  }

  /// Hands the effects that wait for a shard over.
  void collect_effects(std::uint32_t shard, shard_effects& effects) {
    std::unique_lock guard{mutex_};
    collect(shard, effects);
  }

  /// Calls `look` with the table, unchanged meanwhile.
  template <class Look>
  decltype(auto) inspect(Look look) const {
    std::unique_lock guard{mutex_};
    return look(table_);
  }

  [[nodiscard]] store_credit& credit() noexcept {
    return credit_;
  }

  /// What a shard may not have seen yet of its creators.
  [[nodiscard]] shard_backlog& backlog(std::uint32_t shard) noexcept {
    return backlogs_[shard];
  }

private:
  void distribute(std::uint32_t shard, std::vector<std::uint32_t>& woken);
  void collect(std::uint32_t shard, shard_effects& effects);
  [[nodiscard]] std::size_t bytes_to_lend() const noexcept;

  const std::size_t max_lent_bytes_;
  store_credit credit_;
  std::vector<shard_backlog> backlogs_;
  mutable std::mutex mutex_; ///< guards all below
  store_table table_;
  store_effects fresh_; ///< those of the event under way
  std::vector<shard_effects> outboxes_;
};

} // namespace mobula
