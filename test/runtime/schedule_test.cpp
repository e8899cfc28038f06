// Random schedules: actors put, copy, nest, send, drop, read, wait and time out in an order that a
// seed chooses, on nodes that are nearly full and that may shut down in the middle. The model knows
// what each reference must give; the simulation's leftovers and the services' own sums are checked
// at the end of each run (I1 to I6).

#include "../parcel.hpp"
#include "../temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

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
};

/// Whether actors free values to which others refer.
enum class freeing { never, sometimes };

/// What all actors of one run share.
struct world {
  testing::simulation& sim;
  coverage& seen;
  node* where;
  freeing frees;
  std::vector<caf::actor> actors;
  std::vector<promise<parcel>> open;
  std::uint64_t labels = 0;
  std::uint64_t reads_started = 0;
  std::uint64_t reads_ended = 0;
  bool closed = false;

  [[nodiscard]] std::uint64_t choose(std::uint64_t count) {
    return sim.random()() % count;
  }
};

/// Checks an end of a read: a whole value, or an error that may happen.
void check_error(const world& w, const error_info& error) {
  switch (error.type) {
    case error_type::get_timed_out:
      ++w.seen.timeouts;
      return;
    case error_type::store_full:
      ++w.seen.refusals;
      return;
    case error_type::promise_broken:
    case error_type::worker_died:
      return;
    case error_type::object_freed:
      ++w.seen.freed;
      CHECK(w.frees == freeing::sometimes);
      return;
    case error_type::shutting_down:
      CHECK(w.closed);
      return;
    default:
      FAIL(to_string(error));
  }
}

/// One actor of the run: keeps references and views and does random things with them.
class actor_state {
public:
  void init(world& w, caf::event_based_actor* self) {
    world_ = &w;
    self_ = self;
  }

  void receive(const delivery& message) {
    refs_.insert(refs_.end(), message.refs.begin(), message.refs.end());
  }

  void step() {
    try {
      do_something();
    } catch (const object_error& error) {
      check_error(*world_, error.info());
    }
  }

private:
  void do_something() {
    auto& w = *world_;
    switch (w.choose(w.frees == freeing::never ? 12 : 14)) {
      case 0:
      case 1:
        refs_.push_back(w.where->put(make_parcel(some_refs())));
        break;
      case 2:
        drop_some();
        break;
      case 3:
        send_some();
        break;
      case 4:
        read_one();
        break;
      case 5:
        read_many();
        break;
      case 6:
        wait_for_some();
        break;
      case 7:
        make_promise();
        break;
      case 8:
        settle_promise();
        break;
      case 9:
        if (!views_.empty())
          views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(w.choose(views_.size())));
        break;
      case 10:
        open_one();
        break;
      case 12:
        if (!refs_.empty())
          w.where->free(any_ref());
        break;
      default:
        if (!refs_.empty())
          refs_.push_back(any_ref());
        break;
    }
  }

  const parcel_ref& any_ref() {
    return refs_[world_->choose(refs_.size())];
  }

  std::vector<parcel_ref> some_refs() {
    std::vector<parcel_ref> result;
    if (!refs_.empty())
      for (auto count = world_->choose(5); count > 0; --count)
        result.push_back(any_ref());
    return result;
  }

  /// Values of promises contain no references: these could form a cycle.
  parcel make_parcel(std::vector<parcel_ref> inner) {
    auto label = ++world_->labels;
    // One in four is larger than the inline limit of these runs.
    auto size = world_->choose(4) == 0 ? 3000 + world_->choose(9000) : world_->choose(100);
    return {.label = label,
            .filling = std::string(size, static_cast<char>('a' + label % 26)),
            .inner = std::move(inner)};
  }

  void drop_some() {
    for (auto count = world_->choose(4); count > 0 && !refs_.empty(); --count) {
      std::swap(refs_[world_->choose(refs_.size())], refs_.back());
      refs_.pop_back();
    }
  }

  void send_some() {
    const auto& receiver = world_->actors[world_->choose(world_->actors.size())];
    self_->send(receiver, delivery{some_refs()});
  }

  wait_limit any_limit() {
    switch (world_->choose(3)) {
      case 0:
        return 0ns;
      case 1:
        return std::chrono::milliseconds{1 + world_->choose(50)};
      default:
        return 1h;
    }
  }

  void take(const view<parcel>& value) {
    ++world_->seen.values;
    CHECK(value->intact());
    if (world_->choose(3) == 0)
      views_.push_back(value);
    if (!value->inner.empty())
      refs_.push_back(value->inner[world_->choose(value->inner.size())]);
  }

  void read_one() {
    if (refs_.empty())
      return;
    ++world_->reads_started;
    get(self_, any_ref(), any_limit())
      .then(
        [this](const view<parcel>& value) {
          ++world_->reads_ended;
          take(value);
        },
        [this](caf::error& error) {
          ++world_->reads_ended;
          check_error(*world_, to_error_info(error));
        });
  }

  void read_many() {
    ++world_->reads_started;
    auto refs = some_refs();
    auto count = refs.size();
    get_all(self_, std::move(refs), any_limit()).then([this, count](outcomes<parcel> results) {
      ++world_->reads_ended;
      CHECK(results.size() == count);
      for (const auto& result : results) {
        if (result.has_value())
          take(result.value());
        else if (result.has_error())
          check_error(*world_, result.error());
      }
    });
  }

  void wait_for_some() {
    ++world_->reads_started;
    auto refs = some_refs();
    auto needed = refs.empty() ? 0 : world_->choose(refs.size() + 1);
    wait(self_, refs, needed, any_limit())
      .then([this, needed, total = refs.size()](wait_result<parcel> result) {
        ++world_->reads_ended;
        CHECK(result.ready.size() <= needed);
        CHECK(result.ready.size() + result.pending.size() == total);
        for (const auto& ref : result.ready)
          CHECK(ref.ready());
      });
  }

  void make_promise() {
    world_->open.push_back(world_->where->make_promise<parcel>());
    refs_.push_back(world_->open.back().ref());
  }

  void settle_promise() {
    auto& open = world_->open;
    if (open.empty())
      return;
    std::swap(open[world_->choose(open.size())], open.back());
    auto settled = std::move(open.back());
    open.pop_back();
    switch (world_->choose(3)) {
      case 0:
        settled.set_value(make_parcel({}));
        break;
      case 1:
        settled.set_error({.type = error_type::worker_died, .message = "as planned"});
        break;
      default:
        break; // dropped unset
    }
  }

  /// Reads now, as a plain thread would.
  void open_one() {
    if (refs_.empty())
      return;
    auto result = world_->where->try_get(any_ref(), 0s);
    if (result)
      take(*result);
    else
      check_error(*world_, to_error_info(result.error()));
  }

  world* world_ = nullptr;
  caf::event_based_actor* self_ = nullptr;
  std::vector<parcel_ref> refs_;
  std::vector<view<parcel>> views_;
};

caf::behavior participant(caf::stateful_actor<actor_state>* self, world* w) {
  self->state.init(*w, self);
  return {
    [self](const delivery& message) { self->state.receive(message); },
    [self](do_one_thing) { self->state.step(); },
  };
}

node_options options_of(testing::simulation& sim, const std::vector<std::string>& spill) {
  auto options = sim.default_options();
  options.inline_limit_bytes = 1000;
  options.store_size_bytes = 128 * 1024;
  options.shards = 1 + static_cast<std::uint32_t>(sim.random()() % 2);
  options.full_timeout = 20ms;
  options.spill_directories = spill;
  return options;
}

enum class ending { idle, shutdown_midway };

/// Runs one schedule of `steps` steps; nothing may be left at its end.
void run_schedule(testing::simulation& sim, coverage& seen, const std::vector<std::string>& spill,
                  ending end, freeing frees = freeing::never) {
  world w{.sim = sim,
          .seen = seen,
          .where = &sim.add_node(options_of(sim, spill)),
          .frees = frees,
          .actors = {},
          .open = {}};
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
  w.open.clear();
  sim.run_randomly();
  for (int hours = 0; hours < 3; ++hours) {
    sim.advance(1h);
    sim.run_randomly();
  }
  CHECK(w.reads_ended == w.reads_started);
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

TEST_CASE("one seed always gives the same run") {
  auto trace = [](std::uint64_t seed) {
    testing::simulation sim{seed};
    coverage seen;
    run_schedule(sim, seen, {}, ending::idle);
    return sim.random()();
  };
  CHECK(trace(77) == trace(77));
  CHECK(trace(77) != trace(78));
}
