// Speaks for a process that helps: offers its workers to the builder, and says when they are
// dismissed whether anything is left on its node.

#include "foreman.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include <caf/scoped_actor.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace text_index {

bool holds_nothing(mobula::node_stats stats) {
  stats.peer_timers = 0;
  return stats.nothing_left();
}

mobula::node_stats stats_at_rest(mobula::node& node) {
  const auto& options = node.options();
  // Either may be as long as there are nanoseconds.
  constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
  auto deadline = std::chrono::steady_clock::now()
                  + std::min<std::chrono::nanoseconds>(options.grace_period, longest)
                  + std::min<std::chrono::nanoseconds>(options.transit_lease, longest)
                  + std::chrono::seconds{10};
  auto stats = node.stats();
  while (!holds_nothing(stats) && std::chrono::steady_clock::now() < deadline) {
    // Nothing tells when what a lost node held is let go, and asking all the time costs a core.
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    stats = node.stats();
  }
  return stats;
}

std::string name_of_this_process() {
  return fmt::format("process {}", ::getpid());
}

// -- foreman --------------------------------------------------------------------------------------

void foreman_state::init(foreman_actor::pointer self, mobula::node& node, workforce workers,
                         std::shared_ptr<std::promise<node_rest>> rest) {
  self_ = self;
  node_ = &node;
  workers_ = std::move(workers);
  rest_ = std::move(rest);
}

node_rest foreman_state::dismissed() {
  for (const auto& worker : workers_.indexers)
    self_->send_exit(worker, caf::exit_reason::user_shutdown);
  for (const auto& worker : workers_.mergers)
    self_->send_exit(worker, caf::exit_reason::user_shutdown);
  auto stats = stats_at_rest(*node_);
  node_rest result{holds_nothing(stats) ? std::string{} : to_string(stats)};
  rest_->set_value(result);
  self_->quit();
  return result;
}

namespace {

foreman_actor::behavior_type foreman(foreman_actor::stateful_pointer<foreman_state> self,
                                     mobula::node* node, workforce workers,
                                     std::shared_ptr<std::promise<node_rest>> rest) {
  auto& state = self->state;
  state.init(self, *node, std::move(workers), std::move(rest));
  return {
    [&state](dismiss) { return state.dismissed(); },
  };
}

/// How long a node that joins waits for the one that gives out the work to say so.
constexpr auto search_limit = std::chrono::minutes{1};

} // namespace

node_rest work_for_others(mobula::node& node, const pipeline_options& options) {
  auto& system = node.system();
  auto boss = node.lookup_actor<builder_actor>(builder_name, search_limit);
  auto workers = spawn_workers(node, options);
  auto rest = std::make_shared<std::promise<node_rest>>();
  auto answer = rest->get_future();
  auto leader = system.spawn<caf::detached>(foreman, &node, workers, std::move(rest));
  caf::scoped_actor self{system};
  self->monitor(boss);
  self->send(boss, enlist{.node = name_of_this_process(),
                          .foreman = leader,
                          .indexers = workers.indexers,
                          .mergers = workers.mergers});
  // The builder ends last, or too early.
  self->receive([](const caf::down_msg&) {});
  if (answer.wait_for(std::chrono::seconds::zero()) == std::future_status::ready)
    return answer.get();
  caf::anon_send_exit(leader, caf::exit_reason::kill);
  for (const auto& worker : workers.indexers)
    caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  for (const auto& worker : workers.mergers)
    caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  throw mobula::object_error{{.type = mobula::error_type::node_died,
                              .message = "the node that gives out the work is gone, or had none "
                                         "left when this one came"}};
}

} // namespace text_index
