#include "mobula/testing.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <fmt/format.h>

namespace mobula::testing {

namespace {

std::unique_ptr<config> default_settings() {
  auto result = std::make_unique<config>();
  // Small enough that a test reaches the limits with little data.
  result->set("mobula.store-size", std::string{"16MiB"});
  return result;
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

// -- constructors, destructors
// ----------------------------------------------------------------------

simulation::simulation(std::uint64_t seed) : simulation(seed, default_settings()) {
  // nop
}

simulation::simulation(std::uint64_t seed, std::unique_ptr<config> settings)
  : random_(seed), settings_(std::move(settings)) {
  settings_->set("scheduler.policy", caf::atom("testing"));
  settings_->set("logger.verbosity", caf::atom("quiet"));
  system_ = std::make_unique<caf::actor_system>(*settings_);
}

simulation::~simulation() {
  nodes_.clear();
  run();
}

// -- what there is
// ----------------------------------------------------------------------------------

node_options simulation::default_options() const {
  return read_options(*settings_);
}

node& simulation::add_node() {
  return add_node(default_options());
}

node& simulation::add_node(node_options options) {
  if (options.seed == 0)
    options.seed = random_() | 1U;
  nodes_.push_back(std::make_unique<node>(*system_, std::move(options)));
  return *nodes_.back();
}

void simulation::remove_node(node& removed) {
  std::erase_if(nodes_, [&](const auto& candidate) { return candidate.get() == &removed; });
}

// -- running
// ----------------------------------------------------------------------------------------

caf::scheduler::test_coordinator& simulation::scheduler() const {
  return *test_scheduler(*system_);
}

bool simulation::run_one() {
  return scheduler().try_run_once();
}

bool simulation::run_one_randomly() {
  auto& jobs = scheduler().jobs;
  if (jobs.empty())
    return false;
  std::uniform_int_distribution<std::size_t> any{0, jobs.size() - 1};
  auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(any(random_));
  std::rotate(jobs.begin(), chosen, chosen + 1);
  return run_one();
}

std::size_t simulation::run() {
  std::size_t steps = 0;
  while (run_one())
    ++steps;
  return steps;
}

std::size_t simulation::run_randomly() {
  std::size_t steps = 0;
  while (run_one_randomly())
    ++steps;
  return steps;
}

bool simulation::idle() const {
  return scheduler().jobs.empty();
}

// -- time
// -------------------------------------------------------------------------------------------

void simulation::advance(std::chrono::nanoseconds time) {
  scheduler().advance_time(time);
}

caf_clock::time_point simulation::now() const {
  return scheduler().clock().now();
}

std::size_t simulation::timers() const {
  return scheduler().clock().schedule().size();
}

// -- checking
// ---------------------------------------------------------------------------------------

std::string simulation::leftovers() {
  run();
  std::string result;
  for (const auto& node : nodes_) {
    auto stats = node->stats();
    if (!stats.nothing_left())
      result += fmt::format("node {}:\n{}", to_string(node->incarnation()), to_string(stats));
  }
  if (timers() > 0)
    result += fmt::format("{} timers\n", timers());
  return result;
}

void simulation::check_invariants() {
  run();
  for (const auto& node : nodes_)
    node->core().check_invariants();
  run();
}

void for_each_seed(std::uint64_t first, std::uint64_t count,
                   const std::function<void(simulation&)>& body) {
  count = number_from_environment("MOBULA_SEEDS", count);
  if (const auto* one = std::getenv("MOBULA_SEED")) {
    first = std::strtoull(one, nullptr, 10);
    count = 1;
  }
  for (auto seed = first; seed < first + count; ++seed) {
    try {
      simulation sim{seed};
      body(sim);
      if (auto left = sim.leftovers(); !left.empty())
        throw std::logic_error("something is left:\n" + left);
    } catch (...) {
      std::cerr << "seed " << seed << " fails; MOBULA_SEED=" << seed << " runs it alone\n";
      throw;
    }
  }
}

} // namespace mobula::testing
