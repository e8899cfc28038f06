#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include <caf/result.hpp>
#include <caf/typed_response_promise.hpp>

#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"

namespace mobula {

class membership;
class name_service;
class node_core;
class owner_seeker;
class reference_exchange;

/// To the cluster actor, from itself: what the node's services had to say for a report.
struct report_collected {
  std::uint64_t number = 0;
  node_stats stats;
  std::shared_ptr<object_listing> objects;
};

/// What reports are made of, besides what the services say.
struct reported_parts {
  const membership& nodes;
  const reference_exchange& exchange;
  const name_service& names;
  const owner_seeker& owners;
};

/// The part of the cluster actor that answers for its node: collects what all services have to say,
/// and adds what the cluster actor knows itself. Belongs to that actor.
///
/// | field    | raised by | lowered by       |
/// |----------|-----------|------------------|
/// | reports_ | `ask`     | `answer`, `stop` |
class report_desk {
public:
  /// Reports under way at once; more are refused.
  static constexpr std::size_t max_reports = 64;

  /// Objects in one report: a few megabytes.
  static constexpr std::uint64_t max_reported_objects = 20'000;

  /// REQUIRES: all parts outlive this.
  explicit report_desk(const reported_parts& parts) : parts_(parts) {
    // nop
  }

  report_desk(const report_desk&) = delete;
  report_desk& operator=(const report_desk&) = delete;

  /// REQUIRES: called once, before anything else; both outlive this.
  void attach(caf::local_actor* self, node_core& core);

  /// Answered when all services have said what they have to say. REQUIRES: the exchange has just
  /// had a turn, as for `collect`.
  caf::result<node_report> ask(const ask_report& question);

  /// Adds the cluster actor's figures and passes the request on.
  void collect(collect_stats& request);

  void answer(report_collected& answers);

  /// Nobody would answer those that wait: CAF tells nobody of a promise that is dropped.
  void stop();

private:
  [[nodiscard]] node_report make_report(const node_stats& stats, object_listing& objects) const;

  caf::local_actor* self_ = nullptr;
  node_core* core_ = nullptr;
  reported_parts parts_;
  std::map<std::uint64_t, caf::typed_response_promise<node_report>> reports_; ///< under way
  std::uint64_t last_report_ = 0;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::report_collected)
