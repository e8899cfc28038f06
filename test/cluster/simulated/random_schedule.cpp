// Runs one random schedule over several nodes of a simulation, from its seed to the judgement:
// random_schedule.hpp says what must hold. What its actors do is in schedule_actor.cpp.

#include "random_schedule.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include <mobula/mobula.hpp>

#include "schedule_world.hpp"

namespace mobula::test {

using namespace std::literals;

namespace {

node_options options_of_run(const world& w) {
  auto result = w.sim.default_options();
  if (w.plan.heap == heap_space::little) {
    result.inline_limit_bytes = 16 * 1024;
    result.heap_limit_bytes = 64 * 1024;
  }
  if (w.plan.way == value_way::in_place)
    return result;
  result.same_host_reading = reading_in_place::off;
  result.transfer_chunk_bytes = 1'000;
  // A shard would rather have no more than one large value: what was pulled goes again.
  result.store_size_bytes = 1U << 20U;
  result.spill_threshold_percent = 1;
  return result;
}

void populate(world& w, site& home) {
  home.where = &w.sim.add_node(options_of_run(w));
  for (int count = 0; count < 2; ++count)
    home.actors.push_back(spawn_participant(w, home));
}

void count_transfers(world& w, const site& of) {
  auto stats = of.where->stats();
  w.seen.pulled += stats.pulled.objects;
  w.seen.lost_asks += stats.lost_asks;
  w.seen.evicted += stats.evictions.objects;
  w.seen.left_heap += stats.left_heap.objects;
}

void end_actors(site& home) {
  for (auto& actor : home.actors)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  home.actors.clear();
}

/// A node dies with all that belongs to it, and another takes its place.
void replace(world& w, site& home) {
  end_actors(home);
  w.sim.crash(*std::exchange(home.where, nullptr));
  home.open.clear();
  populate(w, home);
  w.sim.connect_all();
}

/// Lets something go wrong, or right again.
void disturb(world& w) {
  auto& one = w.any_site();
  auto& other = w.any_site();
  if (w.plan.expect == upset::crashes && w.choose(4) == 0)
    replace(w, one);
  else if (w.plan.expect == upset::none || one.where == other.where)
    return;
  else if (w.choose(2) == 0)
    w.sim.cut(*one.where, *other.where);
  else
    w.sim.heal(*one.where, *other.where);
}

/// Grace periods promise nothing unless what is under way arrives within them.
void let_time_pass(world& w) {
  if (w.plan.expect == upset::none)
    w.sim.advance(std::chrono::seconds{w.choose(30)});
  else
    w.sim.advance(std::chrono::milliseconds{w.choose(30)});
}

void let_run(world& w) {
  auto& sim = w.sim;
  for (int step = 0; step < 250; ++step) {
    auto& acting = w.any_site();
    caf::anon_send(acting.actors[w.choose(acting.actors.size())], do_one_thing{});
    for (auto count = w.choose(8); count > 0; --count)
      sim.run_one_randomly();
    if (w.choose(10) == 0)
      let_time_pass(w);
    if (w.choose(25) == 0)
      disturb(w);
    if (w.choose(60) == 0)
      sim.check_invariants();
  }
  sim.run_randomly();
}

/// Nothing goes wrong any more: whoever reads without a limit gets an answer in time.
void let_all_read(world& w) {
  w.sim.break_transfers(0);
  w.sim.connect_all();
  w.sim.run_randomly();
  std::vector<caf::actor> readers;
  for (const auto& each : w.sites)
    readers.insert(readers.end(), each.actors.begin(), each.actors.end());
  w.require(all_reads_end(w, readers), "every read ends soon once nothing goes wrong");
}

/// Brings every read to its end, and ends the actors.
void let_end(world& w) {
  auto& sim = w.sim;
  for (auto& each : w.sites)
    each.open.clear();
  sim.run_randomly();
  let_all_read(w);
  for (int hours = 0; hours < 3; ++hours) {
    sim.advance(1h);
    sim.run_randomly();
  }
  if (w.plan.expect != upset::crashes)
    w.require(w.reads_ended == w.reads_started, "every read ends");
  w.seen.values += w.values;
  for (auto& each : w.sites) {
    count_transfers(w, each);
    end_actors(each);
  }
  sim.run_randomly();
}

/// Throws if a promise was broken. Nobody refers to the world any more.
void judge(world& w) {
  w.sim.check_invariants();
  for (const auto& error : w.sim.lost_messages())
    w.require(false, "no message is lost, but: " + to_string(error));
  auto left = w.sim.leftovers();
  w.require(left.empty(), "nothing is left, but:\n" + left);
  if (w.broken.empty())
    return;
  std::string text = "broken promises:";
  for (const auto& promise : w.broken)
    text += "\n" + promise;
  throw std::logic_error(text);
}

} // namespace

std::unique_ptr<config> settings_of_schedule() {
  auto result = std::make_unique<config>();
  result->set("mobula.store-size", std::string{"16MiB"});
  result->set("mobula.inline-limit", std::string{"1000"});
  // Some values travel with their references, others have to be asked for.
  result->set("mobula.piggyback", std::string{"150"});
  add_messages<delivery>(*result);
  return result;
}

void run_schedule(testing::simulation& sim, const schedule_plan& plan, schedule_coverage& seen) {
  world w{{sim}, plan, seen};
  for (auto& each : w.sites)
    populate(w, each);
  sim.connect_all();
  if (plan.way == value_way::by_pull)
    sim.break_transfers(8);
  let_run(w);
  let_end(w);
  judge(w);
}

} // namespace mobula::test
