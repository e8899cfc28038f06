#include "cases.hpp"

#include <span>

#include "baselines.hpp"
#include "mobula/object_builder.hpp"

namespace mobula::bench {

namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

using words = array<std::uint64_t>;

/// Puts until the store has taken memory from the system and got some of it back.
template <class Put>
void warm_up(mobula::node& node, Put put) {
  for (int i = 0; i < 4; ++i) {
    put();
    settle(node);
  }
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

/// Writes nothing: what remains when the caller fills the memory in place.
side create_and_seal(bench_node& bench, std::size_t bytes) {
  return [&node = bench.node(), bytes](benchmark::State& state) {
    const auto create = [&] {
      auto builder = node.create<words>(bytes / sizeof(std::uint64_t));
      benchmark::DoNotOptimize(builder.data());
      return builder.seal();
    };
    warm_up(node, [&] { (void)create(); });
    for (auto _ : state)
      benchmark::DoNotOptimize(create());
    settle(node);
  };
}

side get_stored(bench_node& bench, std::size_t bytes) {
  return [&node = bench.node(), bytes](benchmark::State& state) {
    const std::vector<std::uint64_t> source(bytes / sizeof(std::uint64_t), 1);
    const auto ref = node.put(words{std::span{source}});
    settle(node);
    for (auto _ : state)
      benchmark::DoNotOptimize((*node.get(ref))[0]);
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

comparison create_case(bench_node& bench, std::string size, std::size_t bytes) {
  return {.name = "create_seal/" + std::move(size),
          .unit = unit::microseconds,
          .measured = create_and_seal(bench, bytes),
          .baseline = "memcpy of as much, faulted in",
          .reference = memory_copies(bytes),
          .budget = budget{budget::subject::value, budget::bound::below, 5}};
}

comparison get_case(bench_node& bench, std::string size, std::size_t bytes) {
  return {.name = "get_stored/" + std::move(size),
          .measured = get_stored(bench, bytes),
          .baseline = "shared_ptr copy and drop",
          .reference = shared_pointer_copies,
          .budget = budget{budget::subject::value, budget::bound::below, 200}};
}

} // namespace

void add_stored_cases(std::vector<comparison>& cases, bench_node& bench) {
  auto& small_put = cases.emplace_back(put_case(bench, "128KiB", 128 * kib));
  small_put.unit = unit::microseconds;
  small_put.budget = budget{budget::subject::value, budget::bound::below, 15};
  cases.push_back(put_case(bench, "1MiB", mib));
  cases.push_back(put_case(bench, "64MiB", 64 * mib));
  cases.push_back(create_case(bench, "1MiB", mib));
  cases.push_back(create_case(bench, "64MiB", 64 * mib));
  cases.push_back(get_case(bench, "128KiB", 128 * kib));
  cases.push_back(get_case(bench, "64MiB", 64 * mib));
}

} // namespace mobula::bench
