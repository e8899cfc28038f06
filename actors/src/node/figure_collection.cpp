// Collects a node's figures from its services, round by round until they stand still, and adds
// those that no service has.

#include "mobula/actors/node/figure_collection.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

bool has_unsent_changes(node_core& core) {
  if (core.gateway().has_events())
    return true;
  for (const auto& stripe : core.stripes())
    if (stripe.has_changes())
      return true;
  return false;
}

/// Without services the request ends at once.
void send_collect(node_core& core, collect_stats request) {
  if (node_core::services_use use{core}; !use)
    request.request.reset();
  else if (core.in_cluster())
    caf::anon_send(core.cluster(), std::move(request));
  else
    caf::anon_send(core.counter(), std::move(request));
}

void run_until(node_core& core, const std::function<bool()>& is_done) {
  while (!is_done() && run_first_job(*core.simulation()))
    ; // all the work is in the condition
}

void add_stripe_figures(node_core& core, node_stats& stats) {
  for (const auto& stripe : core.stripes()) {
    stats.entries += stripe.live();
    stats.waiting_gets += stripe.waiting();
  }
}

node_stats collect_once(node_core& core) {
  auto answer = std::make_shared<stats_answer>();
  send_collect(core, {std::make_shared<stats_request>(
                       [answer, counted = core_pointer{&core}](const stats_request& ended) {
                         answer->set(ended.stats);
                         counted->answer_given();
                       })});
  auto is_set = [&] {
    return answer->is_set();
  };
  // Without an answer there are no figures but those that no service has.
  if (core.simulation() == nullptr)
    static_cast<void>(core.await_answer(is_set));
  else
    run_until(core, is_set);
  auto stats = answer->get();
  complete_figures(core, stats);
  return stats;
}

} // namespace

node_stats collect_figures(node_core& core) {
  // Freeing an object may free those nested in it, which takes one more round for each level. Where
  // others keep working there is no end of rounds, and their levels move anyway: after a few, it
  // goes on only as long as there is less and less.
  constexpr int max_rounds = 1000;
  constexpr int few_rounds = 16;
  node_stats stats;
  for (int round = 0; round < max_rounds; ++round) {
    auto handled_before = core.messages();
    auto entries_before = stats.entries;
    stats = collect_once(core);
    auto settled = !has_unsent_changes(core) && core.messages() == handled_before;
    if (core.closing() || settled || (round >= few_rounds && stats.entries >= entries_before))
      break;
  }
  return stats;
}

object_listing list_own_objects(node_core& core) {
  MOBULA_ASSERT(core.simulation() != nullptr);
  constexpr std::uint64_t all = std::numeric_limits<std::uint32_t>::max();
  const ask_report question{.max_objects = all, .only = {}};
  auto answer = std::make_shared<std::optional<object_listing>>();
  auto request = std::make_shared<stats_request>(
    [answer](stats_request& ended) { *answer = std::move(ended.objects); });
  request->objects.emplace(question, core.incarnation());
  send_collect(core, {std::move(request)});
  run_until(core, [&] { return answer->has_value(); });
  return *answer ? std::move(**answer) : object_listing{question, core.incarnation()};
}

void complete_figures(node_core& core, node_stats& stats) {
  add_stripe_figures(core, stats);
  stats.messages = core.messages();
  stats.store_capacity_bytes = core.options().store_size_bytes;
  stats.arena_bytes = core.arena().layout().total_bytes;
  stats.heap_bytes = core.heap_of_values().limits().used_bytes();
  stats.heap_limit_bytes = core.heap_of_values().limits().limit_bytes();
}

void check_services(node_core& core) {
  if (core.in_cluster()) {
    caf::anon_send(core.cluster(), check_tables{});
    caf::anon_send(core.transfers(), check_tables{});
  }
  caf::anon_send(core.owner(), check_tables{});
  caf::anon_send(core.heap_keeper(), check_tables{});
  for (const auto& shard : core.shards())
    caf::anon_send(shard, check_tables{});
  caf::anon_send(core.spill_manager(), check_tables{});
}

} // namespace mobula
