#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>
#include <caf/actor_system.hpp>

#include "comparison.hpp"

namespace mobula::bench {

/// Operations between two looks at the clock where one look, or one wait for an actor, would count.
inline constexpr std::int64_t batch_size = 100'000;

/// An asynchronous send from a plain thread to an event-based actor that handles it: time for each
/// message of a large batch, until the actor has handled the last. With several threads, each has
/// an actor of its own.
side caf_sends(caf::actor_system& system);

/// A request from one event-based actor to another and its response, one after the other.
side caf_requests(caf::actor_system& system);

/// Copies `bytes` bytes between two buffers that are faulted in.
side memory_copies(std::size_t bytes);

/// Copies a `std::shared_ptr` and drops the copy: two atomic operations, as the process has
/// threads.
void shared_pointer_copies(benchmark::State& state);

} // namespace mobula::bench
