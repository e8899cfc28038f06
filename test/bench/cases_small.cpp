// Cases of small values that plain threads put, get and drop.

#include "cases.hpp"

#include <memory>

#include "baselines.hpp"

namespace mobula::bench {

namespace {

/// The reference goes before the owner has heard of the object, mostly.
template <std::size_t Bytes>
side put_get_drop(bench_node& bench) {
  return [&node = bench.node()](benchmark::State& state) {
    const payload<Bytes> value{};
    while (state.KeepRunningBatch(batch_size)) {
      for (std::int64_t i = 0; i < batch_size; ++i) {
        auto ref = node.put(value);
        benchmark::DoNotOptimize(*node.get(ref)->data());
      }
      settle(node);
    }
  };
}

/// The reference goes when `window` others have followed it. If that is long enough, the owner
/// hears of each object and of its end; see docs/benchmarks.md.
side put_drop_window(bench_node& bench, std::size_t window) {
  return [&node = bench.node(), window](benchmark::State& state) {
    const payload<64> value{};
    std::vector<ObjectRef<payload<64>>> live;
    for (std::size_t i = 0; i < window; ++i)
      live.push_back(node.put(value));
    std::size_t oldest = 0;
    while (state.KeepRunningBatch(batch_size)) {
      for (std::int64_t i = 0; i < batch_size; ++i) {
        live[oldest] = node.put(value);
        oldest = (oldest + 1) % window;
      }
      settle(node);
    }
  };
}

side ready_get(bench_node& bench) {
  return [&node = bench.node()](benchmark::State& state) {
    const auto ref = node.put(payload<64>{});
    for (auto _ : state)
      benchmark::DoNotOptimize(*node.get(ref)->data());
  };
}

template <std::size_t Bytes>
comparison put_get_drop_case(bench_node& bench, std::string name, int threads) {
  return {.name = std::move(name),
          .measured = put_get_drop<Bytes>(bench),
          .baseline = "CAF asynchronous send",
          .reference = caf_sends(bench.system()),
          .threads = threads};
}

} // namespace

void add_small_cases(std::vector<comparison>& cases, bench_node& bench) {
  auto& first = cases.emplace_back(put_get_drop_case<64>(bench, "put_get_drop/64B", 1));
  first.budget = budget{budget::subject::ratio, budget::bound::at_most, 3};
  cases.push_back(put_get_drop_case<64>(bench, "put_get_drop/64B/threads:2", 2));
  cases.push_back(put_get_drop_case<1024>(bench, "put_get_drop/1KiB", 1));
  cases.push_back(put_get_drop_case<1024>(bench, "put_get_drop/1KiB/threads:2", 2));
  const auto add_window = [&](const char* name, std::size_t window) {
    cases.push_back({.name = name,
                     .measured = put_drop_window(bench, window),
                     .baseline = "CAF asynchronous send",
                     .reference = caf_sends(bench.system())});
  };
  add_window("put_drop/window:10k", 10'000);
  add_window("put_drop/window:100k", 100'000);
  add_window("put_drop/window:1M", 1'000'000);
  cases.push_back({.name = "get_ready",
                   .measured = ready_get(bench),
                   .baseline = "shared_ptr copy and drop",
                   .reference = shared_pointer_copies,
                   .budget = budget{budget::subject::value, budget::bound::at_most, 50}});
}

} // namespace mobula::bench
