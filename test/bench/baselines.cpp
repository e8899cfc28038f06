// The baselines that several files of cases share, without any Mobula in them: CAF's messages and
// requests, copies of bytes and of shared pointers. Others stand beside their case.

#include "baselines.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <caf/all.hpp>

#include "actor_loop.hpp"
#include "shared_memory.hpp"

namespace mobula::bench {

namespace {

/// More than caches hold.
constexpr std::size_t target_bytes = std::size_t{64} << 20U;

/// Handles numbers; the number 0 is the last of a batch.
caf::behavior receiver(caf::event_based_actor*, signal_pointer done) {
  return {
    [done](std::int64_t left) {
      if (left == 0)
        done->release();
    },
  };
}

caf::behavior responder(caf::event_based_actor*) {
  return {
    [](std::int64_t left) { return left; },
  };
}

} // namespace

side caf_sends(caf::actor_system& system) {
  return [&system](benchmark::State& state) {
    auto done = std::make_shared<signal>(0);
    auto target = system.spawn(receiver, done);
    while (state.KeepRunningBatch(batch_size)) {
      for (auto left = batch_size; left > 0; --left)
        caf::anon_send(target, left - 1);
      done->acquire();
    }
  };
}

side caf_requests(caf::actor_system& system) {
  return [&system](benchmark::State& state) {
    auto target = system.spawn(responder);
    run_actor_loop(
      state, system, [target](caf::event_based_actor* self, std::int64_t left, auto next) {
        self->request(target, caf::infinite, left).then([next](std::int64_t) { next(); });
      });
  };
}

side memory_copies(std::size_t bytes) {
  return [bytes](benchmark::State& state) {
    // Targets take turns, as objects of a store do: none stays in the caches.
    const std::size_t targets = std::max<std::size_t>(1, target_bytes / bytes);
    const std::vector<char> source(bytes, 'x');
    const shared_memory target{targets * bytes};
    std::memset(target.data(), 'y', targets * bytes);
    std::size_t next = 0;
    for (auto _ : state) {
      std::memcpy(target.data() + next * bytes, source.data(), bytes);
      benchmark::ClobberMemory();
      next = (next + 1) % targets;
    }
  };
}

void shared_pointer_copies(benchmark::State& state) {
  const auto original = std::make_shared<std::int64_t>(0);
  for (auto _ : state) {
    auto copy = original;
    benchmark::DoNotOptimize(copy.get());
  }
}

} // namespace mobula::bench
