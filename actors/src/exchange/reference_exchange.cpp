// The cluster actor's part in references: hands what happened at the gateway, and what other nodes
// say, to the parts that it is about.

#include "mobula/actors/exchange/reference_exchange.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "message_parts.hpp"
#include "mobula/actors/exchange/borrowed_values.hpp"
#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/exchange/lent_values.hpp"
#include "mobula/actors/exchange/reference_sessions.hpp"
#include "mobula/actors/exchange/value_drain.hpp"
#include "mobula/actors/exchange/value_keeper.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/peer_arenas.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// From the first that no other needs to the one that needs them all.
struct reference_exchange::parts {
  parts(caf::scheduled_actor& self, node_core& core, exchange_host& host, actor_timers& timers)
    : peers(self), tables(core.incarnation()), lent(core, peers, tables.exports()), keeper(core),
      borrowed(core, peers, tables.borrows(), keeper), drain(core, peers, tables, timers),
      sessions({core, host, peers, tables, borrowed, drain, timers}) {
    // nop
  }

  exchange_peers peers;
  reference_protocol tables;
  lent_values lent;
  value_keeper keeper;
  borrowed_values borrowed;
  value_drain drain;
  reference_sessions sessions;
};

// -- life -----------------------------------------------------------------------------------------

reference_exchange::reference_exchange() = default;

reference_exchange::~reference_exchange() {
  stop();
}

void reference_exchange::attach(caf::scheduled_actor* self, node_core& core, exchange_host& host) {
  core_ = &core;
  timers_.attach(self);
  parts_ = std::make_unique<parts>(*self, core, host, timers_);
}

void reference_exchange::stop() {
  if (parts_ == nullptr)
    return;
  parts_->lent.stop();
  parts_->keeper.stop();
  parts_->drain.stop();
  auto events = core_->gateway().close();
  core_->arenas().close();
  parts_->peers.clear();
  parts_->sessions.shut_down(events.traffic);
  parts_->borrowed.let_go(events.dropped);
  parts_.reset();
  timers_.stop_all();
}

// -- turns ----------------------------------------------------------------------------------------

void reference_exchange::turn() {
  auto& [peers, tables, lent, keeper, borrowed, drain, sessions] = *parts_;
  lent.begin_event();
  auto events = core_->gateway().take();
  sessions.tell(events.traffic);
  borrowed.let_go(events.dropped);
  for (auto sequence : events.ready)
    drain.look_at(sequence);
  lent.ready(events.ready);
  // To those who hold what is this node's; owners of other objects learn it from the tables.
  lent.freed(events.freed);
  borrowed.freed(events.traffic.freed);
  borrowed.requested(events.requested);
  borrowed.raised(events.raised);
}

// -- sessions -------------------------------------------------------------------------------------

void reference_exchange::session_opened(const peer_session& opened, caf::strong_actor_ptr handle,
                                        const peer_addresses& addresses) {
  forget_peer(opened.node);
  core_->arenas().session_opened(opened.node, addresses.arena);
  if (!core_->own_endpoint().where.empty() && !addresses.data.where.empty())
    caf::anon_send(core_->transfers(), source_joined{opened.node, addresses.data});
  parts_->lent.session_opened(opened.node, addresses.arena.host.boot_id);
  parts_->peers.add(opened, std::move(handle), addresses.data);
  parts_->sessions.opened(opened);
  parts_->borrowed.session_opened();
}

void reference_exchange::session_closed(const peer_session& closed) {
  if (parts_->peers.find(closed) == nullptr)
    return;
  forget_peer(closed.node);
  parts_->sessions.closed(closed);
}

void reference_exchange::forget_peer(const incarnation_id& node) {
  if (!parts_->peers.remove(node))
    return;
  parts_->lent.session_ended(node);
  parts_->borrowed.session_ended(node);
  parts_->drain.node_left(node);
  core_->arenas().session_closed(node);
  caf::anon_send(core_->transfers(), source_left{node});
  for (std::uint32_t shard = 0; shard < core_->options().shards; ++shard)
    core_->send_to_shard(shard, readers_lost{});
}

void reference_exchange::owner_unreachable(const incarnation_id& owner) {
  if (parts_->peers.contains(owner))
    return;
  parts_->borrowed.owner_unreachable(owner);
  parts_->sessions.owner_unreachable(owner);
}

// -- messages on references -----------------------------------------------------------------------

template <class Message>
void reference_exchange::pass_on(const Message& message) {
  if (const auto* from = parts_->peers.sender())
    parts_->sessions.received(*from, message);
}

void reference_exchange::received(const borrow_references& message) {
  auto& [peers, tables, lent, keeper, borrowed, drain, sessions] = *parts_;
  const auto* from = peers.sender();
  if (from == nullptr)
    return;
  std::vector<kept_handle> found;
  found.reserve(message.references.size());
  // Values that travel with references may reach a reader after they were freed.
  std::vector<std::uint64_t> freed;
  for (const auto& reference : message.references) {
    found.push_back(core_->gateway().keep_own(reference.sequence));
    drain.look_at(reference.sequence);
    if (found.back() != kept_handle::none && entry_of(found.back()).phase() == object_phase::freed)
      freed.push_back(reference.sequence);
  }
  sessions.received(*from, message, found);
  for (auto sequence : freed)
    lent.tell_of_failure(sequence, {*from, message.session});
  lent.send_answers();
}

void reference_exchange::received(const return_references& message) {
  auto& [peers, tables, lent, keeper, borrowed, drain, sessions] = *parts_;
  const auto* from = peers.sender();
  if (from == nullptr)
    return;
  sessions.received(*from, message);
  for (const auto& reference : message.references)
    if ((drain.running() || lent.is_known_to(*from, reference.sequence))
        && !tables.exports().borrows(*from, reference.sequence)) {
      lent.returned(*from, reference.sequence);
      drain.let_go(*from, reference.sequence);
    }
  drain.end_if_done();
}

void reference_exchange::received(const references_confirmed& message) {
  pass_on(message);
}

void reference_exchange::received(const transits_ended& message) {
  pass_on(message);
}

void reference_exchange::received(const pass_barrier& message) {
  pass_on(message);
}

void reference_exchange::received(const barrier_passed& message) {
  pass_on(message);
}

// -- messages on values ---------------------------------------------------------------------------

void reference_exchange::received(object_replies& message) {
  if (const auto* from = parts_->peers.sender_of(message))
    parts_->borrowed.replied(*from, message);
}

void reference_exchange::received(const request_objects& message) {
  if (const auto* from = parts_->peers.sender_of(message))
    parts_->lent.received(*from, message);
}

void reference_exchange::received(const objects_unpinned& message) {
  if (parts_->peers.sender_of(message) != nullptr)
    parts_->lent.received(message);
}

void reference_exchange::received(const report_copies& message) {
  if (const auto* from = parts_->peers.sender_of(message))
    parts_->lent.received(*from, message);
}

void reference_exchange::received(const free_objects& message) {
  if (const auto* from = parts_->peers.sender_of(message))
    parts_->lent.received(*from, message);
}

void reference_exchange::borrowed_unpinned(const mobula::borrowed_unpinned& news) {
  parts_->borrowed.unpinned(news.object);
}

void reference_exchange::pull_ended(const mobula::pull_ended& end) {
  parts_->borrowed.pull_ended(end);
}

void reference_exchange::copy_evicted(const mobula::copy_evicted& news) {
  parts_->borrowed.copy_evicted(news);
}

void reference_exchange::send_reports(const reports_due&) {
  parts_->borrowed.send_reports();
}

// -- leaving --------------------------------------------------------------------------------------

void reference_exchange::drain(const drain_values& request) {
  parts_->drain.begin(request);
}

void reference_exchange::received(const objects_kept& message) {
  if (const auto* from = parts_->peers.sender_of(message))
    parts_->drain.kept(*from, message);
}

void reference_exchange::received(const keep_objects& message) {
  if (const auto* from = parts_->peers.sender_of(message))
    parts_->keeper.keep(*from, message.sequences);
  send_kept();
}

void reference_exchange::value_ready_to_keep(const keep_ready& news) {
  parts_->keeper.ready(news.object);
  send_kept();
}

void reference_exchange::send_kept() {
  auto& peers = parts_->peers;
  for (const auto& [owner, answer] : parts_->keeper.take_answers()) {
    const auto* to = peers.find(owner);
    if (to == nullptr)
      continue;
    in_parts(answer.kept, sequences_a_message, [&](auto part) {
      peers.send(*to, objects_kept{to->session, {part.begin(), part.end()}, {}});
    });
    in_parts(answer.lost, sequences_a_message, [&](auto part) {
      peers.send(*to, objects_kept{to->session, {}, {part.begin(), part.end()}});
    });
  }
}

// -- properties -----------------------------------------------------------------------------------

void reference_exchange::add_figures(node_stats& stats) const {
  const auto& tables = parts_->tables;
  auto borrows = tables.borrows().stats();
  stats.open_transits += tables.transits().stats().open;
  stats.exported_objects += tables.exports().stats().objects;
  stats.borrowed_objects += borrows.borrows;
  stats.peer_waits += borrows.batches_in_flight + borrows.outer_keeps + borrows.barriers_waiting
                      + parts_->lent.waiting() + parts_->borrowed.waiting();
  stats.known_copies += parts_->lent.copies();
  stats.peer_timers += timers_.size();
  stats.timers += timers_.size();
  stats.peer_messages += parts_->peers.messages();
}

void reference_exchange::count_references(object_listing& listing) const {
  if (!listing.counts_references())
    return;
  const auto& tables = parts_->tables;
  std::unordered_map<std::uint64_t, std::uint64_t> counts;
  tables.transits().for_each([&](const opened_transit& transit) {
    if (transit.object.owner == core_->incarnation())
      ++counts[transit.object.sequence];
  });
  tables.exports().for_each([&](std::uint64_t sequence) {
    auto& count = counts[sequence];
    for (const auto& [node, borrowed] : tables.exports().borrowers_of(sequence))
      count += borrowed;
    for (const auto& lost : tables.exports().lost_holders_of(sequence))
      count += lost.count;
  });
  for (const auto& [sequence, count] : counts)
    listing.held_elsewhere(sequence, count, kept_handles(sequence));
}

/// Handles that the tables and `lent_values` keep are no references of the process.
std::uint32_t reference_exchange::kept_handles(std::uint64_t sequence) const {
  return core_->gateway().kept_handles(sequence) + (parts_->lent.awaited(sequence) ? 1 : 0);
}

void reference_exchange::describe(object_listing& listing) const {
  const auto& exports = parts_->tables.exports();
  parts_->tables.transits().for_each([&](const opened_transit& transit) {
    auto* listed = transit.object.owner == core_->incarnation()
                     ? listing.find(transit.object.sequence)
                     : nullptr;
    if (listed != nullptr)
      ++listed->transits;
  });
  for (auto& listed : listing.objects) {
    for (const auto& [node, count] : exports.borrowers_of(listed.sequence))
      listed.borrowers.push_back({node, count});
    for (const auto& lost : exports.lost_holders_of(listed.sequence))
      listed.lost_holders.push_back({lost.node, lost.count, parts_->sessions.left_ms(lost.grace)});
    listed.local -= std::min(listed.local, kept_handles(listed.sequence));
  }
}

void reference_exchange::check_invariants() const {
  parts_->tables.check_invariants();
  core_->gateway().check_invariants();
  parts_->lent.check_invariants();
  parts_->peers.check_invariants();
}

} // namespace mobula
