#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "mobula/store/arena/pin_word.hpp"

namespace mobula::test {

/// Calls `take` until the memory is the shard's, and waits for a report before each further try.
/// That must always end: whoever unpins last says so.
template <class Take>
void reclaim_by_reports(const std::atomic<std::uint64_t>& reports, Take take) {
  auto seen = reports.load();
  while (take() != reclaim_result::reclaimed) {
    while (reports.load() == seen)
      std::this_thread::yield();
    seen = reports.load();
  }
}

} // namespace mobula::test
