#pragma once

#include <cstdint>
#include <memory>
#include <semaphore>
#include <utility>

#include <benchmark/benchmark.h>
#include <caf/all.hpp>

namespace mobula::bench {

/// Lets an actor wake the thread that measures it.
using signal = std::binary_semaphore;
using signal_pointer = std::shared_ptr<signal>;

/// Times `step` inside of an actor: each call starts something and passes on `next`, which the
/// actor calls when that is done. The measuring thread waits once for thousands of steps.
template <class Step>
void run_actor_loop(benchmark::State& state, caf::actor_system& system, Step step) {
  static constexpr std::int64_t steps = 10'000;

  struct loop {
    caf::event_based_actor* self;
    Step step;
    signal_pointer done;

    void run(std::int64_t left) {
      if (left == 0)
        done->release();
      else
        step(self, left, [this, left] { run(left - 1); });
    }
  };

  auto done = std::make_shared<signal>(0);
  auto body = [](caf::event_based_actor* self, Step what, signal_pointer waker) -> caf::behavior {
    auto state = std::make_shared<loop>(loop{self, std::move(what), std::move(waker)});
    return {
      [state](std::int64_t count) { state->run(count); },
    };
  };
  auto runner = system.spawn(body, std::move(step), done);
  while (state.KeepRunningBatch(steps)) {
    caf::anon_send(runner, steps);
    done->acquire();
  }
}

} // namespace mobula::bench
