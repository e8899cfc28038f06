// What owners are told of this node's copies of their values.

#include "mobula/actors/exchange/copy_reports.hpp"

#include "message_parts.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

void copy_reports::add(const object_id& object, copy_ticket ticket, copy_news news) {
  if (!peers_.contains(object.owner))
    return;
  if (reports_.empty())
    caf::anon_send(core_.cluster(), reports_due{});
  reports_[object.owner].push_back({object.sequence, ticket, news});
}

void copy_reports::send() {
  peers_.flush(reports_, [this](const incarnation_id&, const exchange_peer& to, auto& copies) {
    in_parts(copies, sequences_a_message / 2, [&](auto part) {
      peers_.send(to, report_copies{to.session, {part.begin(), part.end()}});
    });
  });
}

void copy_reports::session_ended(const incarnation_id& owner) {
  reports_.erase(owner);
}

std::size_t copy_reports::size() const {
  std::size_t result = 0;
  for (const auto& [owner, reports] : reports_)
    result += reports.size();
  return result;
}

} // namespace mobula
