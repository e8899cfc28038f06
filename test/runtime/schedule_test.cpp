// Random schedules: actors put, copy, nest, send, drop, read, wait and time out in an order that a
// seed chooses, on nodes that are nearly full and that may shut down in the middle. The model knows
// what each reference must give; the simulation's leftovers and the services' own sums are checked
// at the end of each run (I1 to I6).

#include "../parcel_keeper.hpp"
#include "../temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <tuple>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

using namespace mobula;
using namespace mobula::test;
using namespace std::literals;

namespace {

/// What happened in all runs of a test: a schedule that never meets pressure proves little.
struct coverage {
  std::uint64_t values = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t refusals = 0;
  std::uint64_t spilled = 0;
  std::uint64_t restored = 0;
  std::uint64_t freed = 0;
  std::uint64_t left_heap = 0;
};

/// Whether actors free values to which others refer.
enum class freeing { never, sometimes };

/// Where values of some KB are as long as there is space: such runs have little of it.
enum class home { store, heap };

/// What all actors of one run share.
struct world : parcel_run {
  coverage& seen;
  node* where;
  freeing frees;
  std::vector<caf::actor> actors{};
  std::vector<promise<parcel>> open{};
  bool closed = false;
};

/// One actor of the run.
class actor_state : public parcel_keeper {
public:
  void init(world& w, caf::event_based_actor* self) {
    parcel_keeper::init(w, *w.where, w.open, self);
    world_ = &w;
  }

private:
  void do_something() override {
    switch (choose(world_->frees == freeing::never ? 12 : 14)) {
      case 0:
      case 1:
        return put_one();
      case 2:
        return drop_some(4);
      case 3:
        return send_some();
      case 4:
        return read_any();
      case 5:
        return read_some();
      case 6:
        return wait_for_some();
      case 7:
        return make_promise();
      case 8:
        return settle_promise();
      case 9:
        return drop_view();
      case 10:
        return open_one();
      case 12:
        return free_one();
      default:
        if (!refs_.empty())
          refs_.push_back(any_ref());
    }
  }

  void check_error(const error_info& error) override {
    auto& seen = world_->seen;
    switch (error.type) {
      case error_type::get_timed_out:
        ++seen.timeouts;
        return;
      case error_type::store_full:
        ++seen.refusals;
        return;
      case error_type::promise_broken:
      case error_type::worker_died:
        return;
      case error_type::object_freed:
        ++seen.freed;
        CHECK(world_->frees == freeing::sometimes);
        return;
      case error_type::shutting_down:
        CHECK(world_->closed);
        return;
      default:
        FAIL(to_string(error));
    }
  }

  void require(bool holds, const std::string& promise) override {
    CHECK_MESSAGE(holds, promise);
  }

  /// One in four is larger than the inline limit of these runs.
  std::size_t any_size() override {
    return choose(4) == 0 ? 3000 + choose(9000) : choose(100);
  }

  void send_some() {
    const auto& receiver = world_->actors[choose(world_->actors.size())];
    self_->send(receiver, delivery{some_refs()});
  }

  void read_any() {
    if (refs_.empty())
      return;
    auto limit = any_limit();
    read_one(any_ref(), limit);
  }

  void read_some() {
    auto refs = some_refs();
    read_many(std::move(refs), any_limit());
  }

  void wait_for_some() {
    ++world_->reads_started;
    auto refs = some_refs();
    auto needed = refs.empty() ? 0 : choose(refs.size() + 1);
    wait(self_, refs, needed, any_limit())
      .then([this, needed, total = refs.size()](wait_result<parcel> result) {
        ++world_->reads_ended;
        CHECK(result.ready.size() <= needed);
        CHECK(result.ready.size() + result.pending.size() == total);
        for (const auto& ref : result.ready)
          CHECK((ref.ready() || world_->closed));
      });
  }

  /// Reads now, as a plain thread would.
  void open_one() {
    if (refs_.empty())
      return;
    auto result = node_->try_get(any_ref(), 0s);
    if (result)
      take(*result);
    else
      check_error(to_error_info(result.error()));
  }

  world* world_ = nullptr;
};

caf::behavior participant(caf::stateful_actor<actor_state>* self, world* w) {
  self->state.init(*w, self);
  return {
    [self](const delivery& message) { self->state.receive(message); },
    [self](do_one_thing) { self->state.step(); },
    [self](read_everything) { self->state.read_all(); },
  };
}

node_options options_of(testing::simulation& sim, const std::vector<std::string>& spill,
                        home first) {
  auto options = sim.default_options();
  options.inline_limit_bytes = 1000;
  if (first == home::heap) {
    options.inline_limit_bytes = 16 * 1024;
    options.heap_limit_bytes = 64 * 1024;
  }
  options.store_size_bytes = 128 * 1024;
  options.shards = 1 + static_cast<std::uint32_t>(sim.random()() % 2);
  options.full_timeout = 20ms;
  options.spill_directories = spill;
  return options;
}

enum class ending { idle, shutdown_midway };

/// Runs one schedule of `steps` steps; nothing may be left at its end.
void run_schedule(testing::simulation& sim, coverage& seen, const std::vector<std::string>& spill,
                  ending end, freeing frees = freeing::never, home first = home::store) {
  world w{{sim}, seen, &sim.add_node(options_of(sim, spill, first)), frees};
  for (int count = 0; count < 4; ++count)
    w.actors.push_back(sim.system().spawn(participant, &w));
  constexpr int steps = 300;
  auto closing_step = end == ending::shutdown_midway ? static_cast<int>(w.choose(steps)) : steps;
  for (int step = 0; step < steps; ++step) {
    caf::anon_send(w.actors[w.choose(w.actors.size())], do_one_thing{});
    for (auto count = w.choose(8); count > 0; --count)
      sim.run_one_randomly();
    if (w.choose(10) == 0)
      sim.advance(std::chrono::milliseconds{w.choose(30)});
    if (w.choose(40) == 0 && !w.closed)
      sim.check_invariants();
    if (step == closing_step) {
      w.closed = true;
      w.where->shutdown();
    }
  }
  // In this order: actors that have something left to do may make promises, which end here.
  sim.run_randomly();
  w.open.clear();
  CHECK(all_reads_end(w, w.actors));
  for (int hours = 0; hours < 3; ++hours) {
    sim.advance(1h);
    sim.run_randomly();
  }
  CHECK(w.reads_ended == w.reads_started);
  seen.values += w.values;
  for (auto& actor : w.actors)
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  w.actors.clear();
  sim.run_randomly();
  if (w.closed)
    return;
  sim.check_invariants();
  auto stats = w.where->stats();
  seen.spilled += stats.written.objects;
  seen.restored += stats.restored.objects;
  seen.left_heap += stats.left_heap.objects;
}

} // namespace

TEST_CASE("random schedules keep every promise in a store that cannot spill") {
  coverage seen;
  testing::for_each_seed(
    1, 700, [&](testing::simulation& sim) { run_schedule(sim, seen, {}, ending::idle); });
  CHECK(seen.values > 0);
  CHECK(seen.timeouts > 0);
  CHECK(seen.refusals > 0);
}

TEST_CASE("random schedules keep every promise in a store that spills") {
  test::temporary_directory directory;
  coverage seen;
  testing::for_each_seed(10'001, 700, [&](testing::simulation& sim) {
    run_schedule(sim, seen, {directory.path()}, ending::idle);
  });
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(seen.spilled > 0);
  CHECK(seen.restored > 0);
  MESSAGE("values ", seen.values, ", time-outs ", seen.timeouts, ", spilled ", seen.spilled,
          ", restored ", seen.restored);
}

TEST_CASE("random schedules keep every promise when values are freed") {
  test::temporary_directory directory;
  coverage seen;
  testing::for_each_seed(30'001, 500, [&](testing::simulation& sim) {
    run_schedule(sim, seen, {directory.path()}, ending::idle, freeing::sometimes);
  });
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(seen.freed > 0);
  CHECK(seen.spilled > 0);
}

TEST_CASE("random schedules keep every promise when the node shuts down in the middle") {
  test::temporary_directory directory;
  coverage seen;
  testing::for_each_seed(20'001, 600, [&](testing::simulation& sim) {
    run_schedule(sim, seen, {directory.path()}, ending::shutdown_midway);
  });
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(seen.values > 0);
}

TEST_CASE("random schedules keep every promise in a heap that is too small") {
  test::temporary_directory directory;
  coverage seen;
  testing::for_each_seed(40'001, 500, [&](testing::simulation& sim) {
    run_schedule(sim, seen, {directory.path()}, ending::idle, freeing::sometimes, home::heap);
  });
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(seen.left_heap > 0);
  CHECK(seen.spilled > 0);
  CHECK(seen.restored > 0);
  MESSAGE("values ", seen.values, ", left the heap ", seen.left_heap, ", spilled ", seen.spilled);
}

TEST_CASE("random schedules keep every promise when heap and store are too small") {
  coverage seen;
  testing::for_each_seed(50'001, 300, [&](testing::simulation& sim) {
    run_schedule(sim, seen, {}, ending::idle, freeing::never, home::heap);
  });
  CHECK(seen.left_heap > 0);
  CHECK(seen.refusals > 0);
}

TEST_CASE("random schedules keep every promise when values move and the node shuts down") {
  test::temporary_directory directory;
  coverage seen;
  testing::for_each_seed(60'001, 300, [&](testing::simulation& sim) {
    run_schedule(sim, seen, {directory.path()}, ending::shutdown_midway, freeing::sometimes,
                 home::heap);
  });
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(seen.values > 0);
}

TEST_CASE("one seed always gives the same run") {
  test::temporary_directory directory;
  struct kind {
    std::vector<std::string> spill;
    ending end;
    freeing frees;
  };
  const kind kinds[] = {{{}, ending::idle, freeing::never},
                        {{directory.path()}, ending::idle, freeing::never},
                        {{directory.path()}, ending::idle, freeing::sometimes},
                        {{directory.path()}, ending::shutdown_midway, freeing::never}};
  auto trace = [](std::uint64_t seed, const kind& of) {
    testing::simulation sim{seed};
    coverage seen;
    run_schedule(sim, seen, of.spill, of.end, of.frees);
    return std::tuple{sim.random()(), sim.now(),    seen.values,   seen.timeouts,
                      seen.refusals,  seen.spilled, seen.restored, seen.freed};
  };
  for (const auto& of : kinds)
    for (std::uint64_t seed = 77; seed < 87; ++seed) {
      CAPTURE(seed);
      CHECK(trace(seed, of) == trace(seed, of));
      CHECK(trace(seed, of) != trace(seed + 1, of));
    }
}
