#pragma once

#include <mutex>
#include <utility>

#include "mobula/store/spill/disk_failures.hpp"

namespace mobula {

/// The latest of what keeps a node's disks from being written to: the spill manager puts it up, and
/// shards quote it to those who cannot go on. Thread-safe; blocks no longer than a copy takes.
class disk_trouble_board {
public:
  void put_up(disk_trouble news) {
    std::unique_lock guard{mutex_};
    latest_ = std::move(news);
  }

  [[nodiscard]] disk_trouble latest() const {
    std::unique_lock guard{mutex_};
    return latest_;
  }

private:
  mutable std::mutex mutex_;
  disk_trouble latest_;
};

} // namespace mobula
