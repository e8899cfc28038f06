// Answers who asks for a report on a node: from the question, through all services, to the answer.

#include "mobula/actors/cluster/report_desk.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/cluster/owner_seeker.hpp"
#include "mobula/actors/exchange/reference_exchange.hpp"
#include "mobula/actors/membership/membership.hpp"
#include "mobula/actors/names/name_service.hpp"
#include "mobula/actors/node/figure_collection.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/reports/process_memory.hpp"
#include "mobula/serialization/counted.hpp"
#include "mobula/version.hpp"

namespace mobula {

void report_desk::attach(caf::local_actor* self, node_core& core) {
  self_ = self;
  core_ = &core;
}

caf::result<node_report> report_desk::ask(const ask_report& question) {
  if (reports_.size() >= max_reports)
    return to_caf_error({.type = error_type::store_full,
                         .message = fmt::format("this node is at work on {} already; ask "
                                                "again later",
                                                counted(reports_.size(), "report")),
                         .origin = core_->origin()});
  auto promise = self_->make_response_promise<node_report>();
  auto number = ++last_report_;
  reports_.emplace(number, promise);
  collect_stats request{std::make_shared<stats_request>(
    [myself = caf::actor_cast<caf::strong_actor_ptr>(self_->address()),
     number](stats_request& ended) {
      auto objects = std::make_shared<object_listing>(*std::move(ended.objects));
      send_to(myself, report_collected{number, ended.stats, std::move(objects)});
    })};
  auto bounded = question;
  bounded.max_objects = std::min(question.max_objects, max_reported_objects);
  parts_.exchange.count_references(request.request->objects.emplace(bounded, core_->incarnation()));
  collect(request);
  return promise;
}

void report_desk::collect(collect_stats& request) {
  auto& stats = request.request->stats;
  parts_.exchange.add_figures(stats);
  stats.timers += parts_.owners.timers() + parts_.nodes.timers() + parts_.names.timers();
  send_from(*self_, caf::actor_cast<caf::strong_actor_ptr>(core_->transfers()), std::move(request));
}

void report_desk::answer(report_collected& answers) {
  auto asked = reports_.extract(answers.number);
  if (asked.empty())
    return;
  parts_.exchange.describe(*answers.objects);
  parts_.names.describe(*answers.objects);
  complete_figures(*core_, answers.stats);
  auto report = make_report(answers.stats, *answers.objects);
  add_process_figures(report.figures);
  parts_.nodes.describe(report);
  asked.mapped().deliver(std::move(report));
}

node_report report_desk::make_report(const node_stats& stats, object_listing& objects) const {
  return {.incarnation = core_->incarnation(),
          .name = {},
          .cluster = core_->options().cluster,
          .library_version = MOBULA_VERSION_STRING,
          .process_id = ::getpid(),
          .control = {},
          .members = {},
          .unreachable = {},
          .figures = figures_of(stats),
          .objects = std::move(objects.objects),
          .objects_left_out = objects.left_out,
          .nested_elsewhere = objects.take_nested_elsewhere(),
          .call_sites = std::move(objects.call_sites),
          .pinned_only = std::move(objects.pinned_only),
          .groups = objects.take_groups()};
}

void report_desk::stop() {
  for (auto& [number, promise] : std::exchange(reports_, {}))
    promise.deliver(to_caf_error(core_->shutting_down_error()));
}

} // namespace mobula
