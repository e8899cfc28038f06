// Cases of reading within actors, and of reading or awaiting many objects at once.

#include "cases.hpp"

#include "actor_loop.hpp"
#include "baselines.hpp"
#include "mobula/get.hpp"

namespace mobula::bench {

namespace {

constexpr std::size_t many = 10'000;

using refs = std::vector<ObjectRef<payload<64>>>;

refs put_many(mobula::node& node) {
  refs result;
  for (std::size_t i = 0; i < many; ++i)
    result.push_back(node.put(payload<64>{i}));
  settle(node);
  return result;
}

side get_in_actor(bench_node& bench) {
  return [&bench](benchmark::State& state) {
    auto ref = bench.node().put(payload<64>{});
    run_actor_loop(state, bench.system(),
                   [ref](caf::event_based_actor* self, std::int64_t, auto next) {
                     mobula::get(self, ref).then([next](const view<payload<64>>& value) {
                       benchmark::DoNotOptimize((*value)[0]);
                       next();
                     });
                   });
  };
}

side single_gets(bench_node& bench) {
  return [&node = bench.node()](benchmark::State& state) {
    const auto all = put_many(node);
    for (auto _ : state) {
      for (const auto& ref : all)
        benchmark::DoNotOptimize(*node.get(ref)->data());
    }
  };
}

side one_get_all(bench_node& bench) {
  return [&node = bench.node()](benchmark::State& state) {
    const auto all = put_many(node);
    for (auto _ : state)
      benchmark::DoNotOptimize(node.get_all(all).data());
  };
}

side one_wait(bench_node& bench) {
  return [&node = bench.node()](benchmark::State& state) {
    const auto all = put_many(node);
    for (auto _ : state)
      benchmark::DoNotOptimize(node.wait(all, all.size()).ready.data());
  };
}

} // namespace

void add_reading_cases(std::vector<comparison>& cases, bench_node& bench) {
  const budget under_10_ms{budget::subject::value, budget::bound::below, 10};
  cases.push_back({.name = "get_ready/in_actor",
                   .measured = get_in_actor(bench),
                   .baseline = "CAF request and response between actors",
                   .reference = caf_requests(bench.system())});
  cases.push_back({.name = "get_all/10k",
                   .unit = unit::milliseconds,
                   .measured = one_get_all(bench),
                   .baseline = "10,000 single gets",
                   .reference = single_gets(bench),
                   .budget = under_10_ms});
  cases.push_back({.name = "wait/10k",
                   .unit = unit::milliseconds,
                   .measured = one_wait(bench),
                   .baseline = "10,000 single gets",
                   .reference = single_gets(bench),
                   .budget = under_10_ms});
}

} // namespace mobula::bench
