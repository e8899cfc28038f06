// Cases of what an operation costs among a thousand or some million live objects, and of the memory
// that one takes.

#include "cases.hpp"

#include <memory>

#include "baselines.hpp"
#include "manual_timing.hpp"
#include "population.hpp"

namespace mobula::bench {

namespace {

struct population_size {
  std::size_t objects;
  const char* label;
};

constexpr population_size smallest{1'000, "1k"};

/// Makes an empty population, of either kind.
template <class Population>
std::unique_ptr<Population> make_population(bench_node& bench) {
  if constexpr (std::is_constructible_v<Population, bench_node&>)
    return std::make_unique<Population>(bench);
  else
    return std::make_unique<Population>();
}

// -- operations among many ------------------------------------------------------------------------

/// Adds up the seconds that `run(population)` returns for `operations` operations among `objects`
/// live ones, which stay from round to round.
template <class Population, class F>
side among(bench_node& bench, std::size_t objects, std::size_t operations, F run) {
  auto shared = std::make_shared<std::unique_ptr<Population>>();
  return [&bench, objects, operations, shared, run](benchmark::State& state) {
    if (*shared == nullptr) {
      *shared = make_population<Population>(bench);
      (*shared)->reserve(objects);
      (*shared)->fill(objects);
    }
    double seconds = 0;
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(operations)))
      seconds += run(**shared);
    state.SetIterationTime(seconds);
  };
}

side put_get_drop_among(bench_node& bench, std::size_t objects) {
  return among<object_population>(bench, objects, batch_size, [](object_population& live) {
    return seconds_of([&node = live.node()] {
      for (std::int64_t i = 0; i < batch_size; ++i) {
        auto ref = node.put(member{});
        benchmark::DoNotOptimize(*node.get(ref)->data());
      }
      settle(node);
    });
  });
}

/// Objects replaced at a time; no more than the smallest population has.
constexpr std::size_t lot = 1'000;

/// Leaves out what two waits for an idle owner take, which is much for a lot and the same at any
/// size: within a quotient it would hide a cost that grows.
side replace_among(bench_node& bench, std::size_t objects) {
  return among<object_population>(bench, objects, lot, [](object_population& live) {
    const auto idle = seconds_of([&] {
      settle(live.node());
      settle(live.node());
    });
    return seconds_of([&] { live.replace_oldest(lot); }) - idle;
  });
}

side replace_pointers_among(bench_node& bench, std::size_t objects) {
  return among<pointer_population>(bench, objects, lot, [](pointer_population& live) {
    return seconds_of([&] { live.replace_oldest(lot); });
  });
}

// -- filling and draining -------------------------------------------------------------------------

enum class step : std::uint8_t { fill, drain };

/// Times the filling or the draining of a whole population, for each object.
template <class Population>
side fill_and_drain(bench_node& bench, std::size_t objects, step timed) {
  return [&bench, objects, timed](benchmark::State& state) {
    auto population = make_population<Population>(bench);
    population->reserve(objects);
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(objects))) {
      release_free_memory();
      const auto filling = seconds_of([&] { population->fill(objects); });
      const auto draining = seconds_of([&] { population->drain(); });
      state.SetIterationTime(timed == step::fill ? filling : draining);
    }
  };
}

/// Counts what the heap grows by for each object, beyond the object's data.
template <class Population>
side bookkeeping(bench_node& bench, std::size_t objects) {
  return [&bench, objects](benchmark::State& state) {
    auto population = make_population<Population>(bench);
    population->reserve(objects);
    const auto before = heap_bytes();
    double growth = 0;
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(objects))) {
      state.SetIterationTime(seconds_of([&] { population->fill(objects); }));
      growth = static_cast<double>(heap_bytes()) - static_cast<double>(before);
      population->drain();
    }
    state.counters[measured_counter] =
      growth / static_cast<double>(objects) - static_cast<double>(member_bytes);
  };
}

// -- cases ----------------------------------------------------------------------------------------

using make_side = side (*)(bench_node&, std::size_t objects);

/// Compares with the same among the fewest objects, or those with `first_reference`.
comparison flat_case(bench_node& bench, std::string name, const population_size& size,
                     make_side make, std::string first_baseline, side first_reference) {
  comparison result{.name = std::move(name) + size.label, .measured = make(bench, size.objects)};
  if (size.objects == smallest.objects) {
    result.baseline = std::move(first_baseline);
    result.reference = std::move(first_reference);
  } else {
    result.baseline = "the same among 1,000";
    result.reference = make(bench, smallest.objects);
    result.budget = budget{budget::subject::ratio, budget::bound::at_most, 1.3};
  }
  return result;
}

void add_operations(std::vector<comparison>& cases, bench_node& bench,
                    const population_size& size) {
  cases.push_back(flat_case(bench, "live_put_get_drop/", size, put_get_drop_among,
                            "CAF asynchronous send", caf_sends(bench.system())));
  auto& replacing = cases.emplace_back(flat_case(bench, "live_replace/", size, replace_among,
                                                 "make_shared of as many, replaced",
                                                 replace_pointers_among(bench, smallest.objects)));
  replacing.timing = timing::manual;
  if (size.objects != smallest.objects) {
    // Shows what memory alone makes of the same order of accesses, so it has no budget.
    auto& pointers = cases.emplace_back(
      flat_case(bench, "make_shared_replace/", size, replace_pointers_among, {}, {}));
    pointers.timing = timing::manual;
    pointers.budget.reset();
  }
}

void add_fill_and_drain(std::vector<comparison>& cases, bench_node& bench,
                        const population_size& size) {
  const auto add = [&](const char* name, step timed) {
    cases.push_back({.name = std::string{name} + size.label,
                     .measured = fill_and_drain<object_population>(bench, size.objects, timed),
                     .baseline = "make_shared of as many",
                     .reference = fill_and_drain<pointer_population>(bench, size.objects, timed),
                     .timing = timing::manual});
  };
  add("live_put/", step::fill);
  add("live_drop/", step::drain);
}

void add_bookkeeping(std::vector<comparison>& cases, bench_node& bench,
                     const population_size& size) {
  cases.push_back({.name = std::string{"live_bytes/"} + size.label,
                   .unit = unit::bytes,
                   .measured = bookkeeping<object_population>(bench, size.objects),
                   .baseline = "make_shared of as many",
                   .reference = bookkeeping<pointer_population>(bench, size.objects),
                   .budget = budget{budget::subject::value, budget::bound::below, 200},
                   .timing = timing::manual});
}

} // namespace

void add_scale_cases(std::vector<comparison>& cases, bench_node& bench, scale sizes) {
  std::vector<population_size> wanted{smallest, {100'000, "100k"}, {1'000'000, "1M"}};
  if (sizes == scale::large)
    wanted.push_back({10'000'000, "10M"});
  for (const auto& size : wanted) {
    add_operations(cases, bench, size);
    add_fill_and_drain(cases, bench, size);
    add_bookkeeping(cases, bench, size);
  }
}

} // namespace mobula::bench
