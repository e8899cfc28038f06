// The test kit: runs nodes in one thread under CAF's test scheduler, in an order that a seed
// chooses, moves their clock, and says what is left at the end and who holds it.

#include "mobula/testing.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <limits>
#include <string_view>

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_options.hpp"
#include "mobula/actors/node/figure_collection.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/runtime/simulated_network.hpp"
#include "mobula/serialization/counted.hpp"

namespace mobula::testing {

using namespace internal;

namespace {

/// Small enough that a test reaches the limits with little data, and that a node starts and ends in
/// a millisecond; the same on each machine, since what a seed leads to depends on it.
constexpr std::uint64_t small_store_bytes = std::uint64_t{16} << 20U;
constexpr std::uint64_t small_heap_bytes = small_store_bytes;

/// Says who refers to an object, and who reads it: what keeps it.
std::string describe_holders(const reported_object& object) {
  std::vector<std::string> parts;
  auto add = [&](std::uint64_t count, std::string_view one, std::string_view many) {
    if (count > 0)
      parts.push_back(counted(count, one, many));
  };
  add(object.local, "reference in its node's actors and views",
      "references in its node's actors and views");
  add(object.nested.references, "in values there", "in values there");
  add(object.transits, "in messages under way", "in messages under way");
  for (const auto& each : object.borrowers)
    parts.push_back(fmt::format("node {}", to_string(each.node)));
  for (const auto& each : object.lost_holders)
    parts.push_back(fmt::format("node {}, which is lost, for a while yet", to_string(each.node)));
  add(object.views, "view that reads it", "views that read it");
  add(object.readers, "other process that reads it", "other processes that read it");
  return parts.empty() ? "nobody" : fmt::format("{}", fmt::join(parts, ", "));
}

/// A node's objects, and where they were made.
struct listed_objects {
  std::vector<reported_object> objects;
  std::vector<reported_site> call_sites;
  std::uint64_t left_out = 0;
};

/// Returns one line for each.
std::string describe(const listed_objects& all, const incarnation_id& owner) {
  std::string result;
  for (const auto& object : all.objects) {
    result +=
      fmt::format("  object {} of type {}, {}, {}", to_string(object_id{owner, object.sequence}),
                  object.type, counted(object.size_bytes, "byte"), to_string(object.state));
    if (object.call_site > 0) {
      const auto& site = all.call_sites.at(object.call_site - 1);
      result += fmt::format(", made at {}:{}", site.file, site.line);
    }
    result += fmt::format("; held by: {}\n", describe_holders(object));
  }
  if (all.left_out > 0)
    result += fmt::format("  and {} smaller objects\n", all.left_out);
  return result;
}

/// Runs the simulation. Only the actor of a node's cluster knows which others refer to its objects.
listed_objects list_objects(caf::actor_system& system, node_core& home) {
  if (!home.in_cluster()) {
    auto listing = list_own_objects(home);
    return {std::move(listing.objects), std::move(listing.call_sites), listing.left_out};
  }
  listed_objects result;
  constexpr std::uint64_t all = std::numeric_limits<std::uint32_t>::max();
  system.spawn([&](caf::event_based_actor* self) {
    self->request(home.cluster(), caf::infinite, ask_report{.max_objects = all, .only = {}})
      .then([&](node_report& report) {
        result = {std::move(report.objects), std::move(report.call_sites), report.objects_left_out};
      });
  });
  while (run_first_job(*test_scheduler(system)))
    ; // until it has its answer, and has ended
  return result;
}

template <class T>
void set_default(config& settings, caf::string_view option, T value) {
  if (caf::get_if(&settings.content, option) == nullptr)
    settings.set(option, std::move(value));
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  if (text == nullptr)
    return otherwise;
  std::uint64_t result = 0;
  const auto* end = text + std::strlen(text);
  auto [position, error] = std::from_chars(text, end, result);
  // Read as zero, it would run nothing, and pass.
  if (error != std::errc{} || position != end)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = fmt::format("the environment's {} is \"{}\", but must be a "
                                               "whole number",
                                               name, text)}};
  return result;
}

} // namespace

// -- constructors, destructors --------------------------------------------------------------------

simulation::simulation(std::uint64_t seed) : simulation(seed, std::make_unique<config>()) {
  // nop
}

simulation::simulation(std::uint64_t seed, std::unique_ptr<config> settings)
  : seed_(seed), random_(seed), settings_(std::move(settings)) {
  if (settings_ == nullptr)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = "a simulation needs settings; leave them out for its own"}};
  set_default(*settings_, "mobula.store-size", std::to_string(small_store_bytes));
  set_default(*settings_, "mobula.heap-limit", std::to_string(small_heap_bytes));
  set_default(*settings_, "mobula.prefault", std::string{"0"});
  set_default(*settings_, "mobula.record-call-sites", true);
  settings_->set(caf_options::scheduler_policy, caf_options::word("testing"));
  settings_->set(caf_options::log_verbosity, caf_options::word("quiet"));
  system_ = std::make_unique<caf::actor_system>(*settings_);
}

simulation::~simulation() {
  // Their ends run actors, which may use any of them: all stay in their places meanwhile.
  for (const auto& each : nodes_)
    each->core().shut_down();
  run();
  // CAF's own requests leave their timers behind, which hold the actors that asked. Who hears of
  // their ends may set others.
  auto end_timers = [this] {
    do {
      stop_timers(scheduler());
      run();
    } while (timers() > 0);
  };
  end_timers();
  nodes_.clear();
  run();
  network_.reset();
  run();
  end_timers();
}

// -- what there is --------------------------------------------------------------------------------

node_options simulation::default_options() const {
  return read_options(*settings_);
}

node& simulation::add_node() {
  return add_node(default_options());
}

node& simulation::add_node(node_options options) {
  if (options.seed == 0)
    options.seed = random_() | 1U;
  if (options.store_size_bytes == 0)
    options.store_size_bytes = small_store_bytes;
  if (options.heap_limit_bytes == 0)
    options.heap_limit_bytes = small_heap_bytes;
  if (!options.prefault_bytes)
    options.prefault_bytes = 0;
  nodes_.push_back(std::make_unique<node>(*system_, std::move(options)));
  return *nodes_.back();
}

/// By where it is only: it may be gone.
void simulation::require_mine(const node& given) const {
  if (std::ranges::none_of(nodes_, [&](const auto& each) { return each.get() == &given; }))
    throw object_error{{.type = error_type::invalid_argument,
                        .message = "this node is not of this simulation, or not any more; give one "
                                   "that add_node returned and that was not removed"}};
}

void simulation::remove_node(node& removed) {
  require_mine(removed);
  end_residents(removed);
  // Its end runs actors, its own among them: all nodes must be in their places meanwhile.
  removed.shutdown();
  std::erase_if(nodes_, [&](const auto& candidate) { return candidate.get() == &removed; });
}

void simulation::end_residents(const node& home) {
  for (const auto& each : residents_[&home])
    if (auto living = caf::actor_cast<caf::actor>(each))
      caf::anon_send_exit(living, caf::exit_reason::kill);
  residents_.erase(&home);
}

// -- several nodes --------------------------------------------------------------------------------

simulated_network& simulation::network() {
  if (network_ == nullptr)
    network_ = std::make_unique<simulated_network>(*system_, random_);
  return *network_;
}

void simulation::connect(node& one, node& other) {
  require_mine(one);
  require_mine(other);
  network().connect(one.core(), other.core());
}

void simulation::connect_all() {
  for (auto one = nodes_.begin(); one != nodes_.end(); ++one)
    for (auto other = nodes_.begin(); other != one; ++other)
      connect(**other, **one);
}

caf::actor simulation::remote(node& from, node& to, const caf::actor& target) {
  require_mine(from);
  require_mine(to);
  if (!target || &from == &to)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = "a handle across nodes needs an actor, and two nodes to lie "
                                   "between"}};
  return network().remote(from.core(), to.core(), target);
}

void simulation::cut(node& one, node& other) {
  require_mine(one);
  require_mine(other);
  network().cut(one.core(), other.core());
}

void simulation::heal(node& one, node& other) {
  require_mine(one);
  require_mine(other);
  network().connect(one.core(), other.core());
}

void simulation::crash(node& node) {
  require_mine(node);
  end_residents(node);
  network().remove(node.core(), in_flight::chance, in_flight::lost);
  remove_node(node);
}

void simulation::break_transfers(std::uint64_t one_of) {
  network().ports().break_one_of(one_of);
}

void simulation::hide_port(node& hidden) {
  network().ports().hide(hidden.incarnation());
}

std::vector<error_info> simulation::lost_messages() const {
  return network_ == nullptr ? std::vector<error_info>{} : network_->lost_messages();
}

// -- running --------------------------------------------------------------------------------------

simulation_scheduler& simulation::scheduler() const {
  return *test_scheduler(*system_);
}

bool simulation::run_one() {
  return run_first_job(scheduler());
}

bool simulation::run_one_randomly() {
  auto jobs = count_jobs(scheduler());
  if (jobs == 0)
    return false;
  std::uniform_int_distribution<std::size_t> any{0, jobs - 1};
  run_job(scheduler(), any(random_));
  return true;
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
  return count_jobs(scheduler()) == 0;
}

// -- time -----------------------------------------------------------------------------------------

void simulation::advance(time_span time) {
  require_valid(time);
  advance_time(scheduler(),
               std::min<caf_clock::duration>(time, caf_clock::time_point::max() - now()));
}

caf_clock::time_point simulation::now() const {
  return time_of(scheduler());
}

std::size_t simulation::timers() const {
  return count_timers(scheduler());
}

// -- checking -------------------------------------------------------------------------------------

std::string simulation::leftovers() {
  run();
  let_timers_of_nodes_pass();
  std::string result;
  for (const auto& node : nodes_) {
    auto stats = node->stats();
    if (!stats.nothing_left())
      result += fmt::format("node {}:\n{}{}", to_string(node->incarnation()), stats.what_is_left(),
                            describe(list_objects(*system_, node->core()), node->incarnation()));
  }
  if (timers() > 0)
    result += counted(timers(), "timer") + "\n";
  return result;
}

void simulation::let_timers_of_nodes_pass() {
  auto nodes_have_timers = [this] {
    return std::ranges::any_of(nodes_, [](const auto& node) {
      auto stats = node->stats();
      return stats.peer_timers > 0;
    });
  };
  // Leases and grace periods end; what an application's own timers do may start others.
  for (int rounds = 0; rounds < 1000 && nodes_have_timers(); ++rounds) {
    auto next = next_timeout(scheduler());
    if (!next)
      return;
    advance(std::max(*next - now(), caf_clock::duration::zero()));
    run();
  }
}

void simulation::check_invariants() {
  run();
  for (const auto& node : nodes_)
    check_services(node->core());
  run();
}

void for_each_seed(std::uint64_t first, std::uint64_t count,
                   const std::function<void(simulation&)>& body) {
  for_each_seed(
    first, count, [] { return std::make_unique<config>(); }, body);
}

void for_each_seed(std::uint64_t first, std::uint64_t count,
                   const std::function<std::unique_ptr<config>()>& make_settings,
                   const std::function<void(simulation&)>& body) {
  count = number_from_environment("MOBULA_SEEDS", count);
  if (std::getenv("MOBULA_SEED") != nullptr) {
    first = number_from_environment("MOBULA_SEED", first);
    count = 1;
  }
  for (auto seed = first; seed < first + count; ++seed) {
    try {
      simulation sim{seed, make_settings()};
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
