// Cases of values that lie in the store: puts into warm and fresh memory, filling in place, and
// reading.

#include "cases.hpp"

#include <cstring>
#include <span>
#include <thread>
#include <utility>

#include <caf/all.hpp>

#include "actor_loop.hpp"
#include "baselines.hpp"
#include "manual_timing.hpp"
#include "mobula/object_builder.hpp"
#include "shared_memory.hpp"

namespace mobula::bench {

namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
constexpr std::size_t gib = 1024 * mib;

using words = array<std::uint64_t>;

/// Puts until the store takes no more memory from the system.
template <class Put>
void warm_up(mobula::node& node, Put put) {
  constexpr int puts = 8;
  std::uint64_t before = 0;
  auto now = node.stats().late_commit_bytes;
  do {
    for (int i = 0; i < puts; ++i)
      put();
    before = std::exchange(now, node.stats().late_commit_bytes);
  } while (now != before);
}

/// A put and the end of its reference, whose memory the store then has for the next ones.
side put_stored(bench_node& bench, std::size_t bytes) {
  return [&node = bench.node(), bytes](benchmark::State& state) {
    const std::vector<std::uint64_t> source(bytes / sizeof(std::uint64_t), 1);
    const words value{std::span{source}};
    warm_up(node, [&] { (void)node.put(value); });
    for (auto _ : state)
      benchmark::DoNotOptimize(node.put(value));
    settle(node);
  };
}

/// The same within an actor, a thousand in each of its turns.
side put_in_actor(bench_node& bench, std::size_t bytes) {
  return [&bench, bytes](benchmark::State& state) {
    static constexpr std::int64_t puts = 1'000;
    auto& node = bench.node();
    const std::vector<std::uint64_t> source(bytes / sizeof(std::uint64_t), 1);
    const words value{std::span{source}};
    warm_up(node, [&] { (void)node.put(value); });
    auto done = std::make_shared<signal>(0);
    auto writer = bench.system().spawn([&node, &value, done](caf::event_based_actor*) {
      return caf::behavior{[&node, &value, done](std::int64_t count) {
        for (; count > 0; --count)
          benchmark::DoNotOptimize(node.put(value));
        done->release();
      }};
    });
    while (state.KeepRunningBatch(puts)) {
      caf::anon_send(writer, puts);
      done->acquire();
    }
    settle(node);
  };
}

/// Writes nothing: what remains when the caller fills the memory in place. Some are created in a
/// row and kept; their memory is back before the next, so that each size uses warm memory. The
/// store's threads get to work meanwhile, sometimes in place of the creator: hence the median.
side create_and_seal(bench_node& bench, std::size_t bytes, std::size_t in_a_row) {
  return [&node = bench.node(), bytes, in_a_row](benchmark::State& state) {
    std::vector<ObjectRef<words>> refs;
    refs.reserve(in_a_row);
    const auto create_all = [&] {
      while (refs.size() < in_a_row) {
        auto builder = node.create<words>(bytes / sizeof(std::uint64_t));
        benchmark::DoNotOptimize(builder.data());
        refs.push_back(builder.seal());
      }
    };
    warm_up(node, [&] {
      create_all();
      refs.clear();
    });
    median_timing times{state};
    for (auto _ : state) {
      times.add(seconds_of(create_all) / static_cast<double>(in_a_row));
      refs.clear();
      settle(node);
    }
  };
}

/// A memcpy, timed alone as the creation above is.
side timed_copies(std::size_t bytes) {
  return [bytes](benchmark::State& state) {
    const std::vector<char> source(bytes, 'x');
    std::vector<char> target(bytes, 'y');
    median_timing times{state};
    for (auto _ : state)
      times.add(seconds_of([&] {
        std::memcpy(target.data(), source.data(), bytes);
        benchmark::ClobberMemory();
      }));
  };
}

/// The first put of a node's life, which was told to have memory ready, after its filler had time
/// to work.
side first_put(bench_node& bench, std::size_t bytes) {
  return [&system = bench.system(), bytes](benchmark::State& state) {
    auto options = read_options(system.config());
    options.prefault_bytes = 4 * bytes;
    const std::vector<std::uint64_t> source(bytes / sizeof(std::uint64_t), 1);
    const words value{std::span{source}};
    for (auto _ : state) {
      mobula::node fresh{system, options};
      while (fresh.stats().prefault_ready_bytes < fresh.stats().prefault_target_bytes)
        std::this_thread::yield();
      ObjectRef<words> ref;
      state.SetIterationTime(seconds_of([&] { ref = fresh.put(value); }));
    }
  };
}

/// What anybody pays who copies into shared memory that nobody has used yet.
side fresh_copies(std::size_t bytes) {
  return [bytes](benchmark::State& state) {
    const std::vector<char> source(bytes, 'x');
    for (auto _ : state) {
      const shared_memory target{bytes};
      state.SetIterationTime(seconds_of([&] {
        std::memcpy(target.data(), source.data(), bytes);
        benchmark::ClobberMemory();
      }));
    }
  };
}

side get_stored(bench_node& bench, std::size_t bytes) {
  return [&node = bench.node(), bytes](benchmark::State& state) {
    const std::vector<std::uint64_t> source(bytes / sizeof(std::uint64_t), 1);
    const auto ref = node.put(words{std::span{source}});
    settle(node);
    for (auto _ : state)
      benchmark::DoNotOptimize(*node.get(ref)->data());
  };
}

comparison put_case(bench_node& bench, std::string size, std::size_t bytes) {
  return {.name = "put_stored/" + std::move(size),
          .unit = unit::gigabytes_per_second,
          .measured = put_stored(bench, bytes),
          .baseline = "memcpy of as much, faulted in",
          .reference = memory_copies(bytes),
          .budget = budget{budget::subject::ratio, budget::bound::at_least, 0.95},
          .bytes = bytes};
}

comparison create_case(bench_node& bench, std::string size, std::size_t bytes,
                       std::size_t in_a_row) {
  return {.name = "create_seal/" + std::move(size),
          .unit = unit::microseconds,
          .measured = create_and_seal(bench, bytes, in_a_row),
          .baseline = "memcpy of as much, faulted in",
          .reference = timed_copies(bytes),
          .budget = budget{budget::subject::value, budget::bound::below, 5},
          .timing = timing::manual,
          .iterations = 50};
}

comparison get_case(bench_node& bench, std::string size, std::size_t bytes) {
  return {.name = "get_stored/" + std::move(size),
          .measured = get_stored(bench, bytes),
          .baseline = "shared_ptr copy and drop",
          .reference = shared_pointer_copies,
          .budget = budget{budget::subject::value, budget::bound::below, 200}};
}

} // namespace

void add_stored_cases(std::vector<comparison>& cases, bench_node& bench, scale sizes) {
  auto& small_put = cases.emplace_back(put_case(bench, "128KiB", 128 * kib));
  small_put.unit = unit::microseconds;
  small_put.budget = budget{budget::subject::value, budget::bound::below, 15};
  auto& actor_put = cases.emplace_back(small_put);
  actor_put.name += "/in_actor";
  actor_put.measured = put_in_actor(bench, 128 * kib);
  cases.push_back(put_case(bench, "1MiB", mib));
  cases.push_back(put_case(bench, "64MiB", 64 * mib));
  cases.push_back(create_case(bench, "1MiB", mib, 4));
  cases.push_back(create_case(bench, "64MiB", 64 * mib, 4));
  cases.push_back(get_case(bench, "128KiB", 128 * kib));
  cases.push_back(get_case(bench, "64MiB", 64 * mib));
  cases.push_back({.name = "put_first/64MiB",
                   .unit = unit::gigabytes_per_second,
                   .measured = first_put(bench, 64 * mib),
                   .baseline = "memcpy into fresh shared memory",
                   .reference = fresh_copies(64 * mib),
                   .budget = budget{budget::subject::ratio, budget::bound::at_least, 4},
                   .bytes = 64 * mib,
                   .timing = timing::manual,
                   .iterations = 3});
  if (sizes == scale::large) {
    cases.push_back(put_case(bench, "1GiB", gib));
    cases.push_back(create_case(bench, "1GiB", gib, 1));
    cases.push_back(get_case(bench, "1GiB", gib));
  }
}

} // namespace mobula::bench
