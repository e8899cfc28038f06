// Values and what is said of them: what readers ask owners for, and what these tell.

#include <algorithm>
#include <span>
#include <utility>

#include "message_parts.hpp"
#include "mobula/actors/exchange/object_reply.hpp"
#include "mobula/actors/exchange/reference_exchange.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

namespace {

/// Many enough that what a message costs does not count.
constexpr std::size_t objects_an_answer = 500;

} // namespace

// -- a reader -------------------------------------------------------------------------------------

/// After the borrows of the same turn, so that the owner knows that the objects are held. A reader
/// may have come while the references of a dead owner were failing: nobody is to be asked for that.
void reference_exchange::ask_owners(const gateway_events& events) {
  for (const auto& object : events.requested)
    if (tables_->borrows().expects(object.owner))
      in_place_requests_[object.owner].push_back(object.sequence);
  send_requests(in_place_requests_, reply_form::place);
  send_requests(pull_requests_, reply_form::description);
  send_requests(inline_requests_, reply_form::bytes);
}

void reference_exchange::send_requests(request_lists& requests, reply_form best) {
  flush(requests, [&](const incarnation_id& owner, const peer& to, auto& sequences) {
    in_parts(sequences, sequences_a_message, [&](auto part) {
      send(to, request_objects{.session = to.session,
                               .form = form_for(owner, to, best),
                               .sequences = {part.begin(), part.end()}});
    });
  });
}

/// Returns the form that an owner's replies are to have, at best: read where they are, pulled, or
/// in a message.
reply_form reference_exchange::form_for(const incarnation_id& owner, const peer& to,
                                        reply_form best) const {
  core_->arenas().retry(owner, core_->now());
  if (best == reply_form::place && core_->arenas().reader_of(owner) != nullptr)
    return reply_form::place;
  return best != reply_form::bytes && can_transfer(to) ? reply_form::description
                                                       : reply_form::bytes;
}

/// Returns whether values can be pulled, from here and from there.
bool reference_exchange::can_transfer(const peer& to) const {
  return !core_->own_endpoint().where.empty() && !to.data.where.empty();
}

/// Sends each owner its list, with `send_list`, unless there is no session with it: its list waits
/// for one.
template <class Lists, class F>
void reference_exchange::flush(Lists& lists, F send_list) {
  for (auto each = lists.begin(); each != lists.end();) {
    auto& [owner, list] = *each;
    auto to = peers_.find(owner);
    if (to == peers_.end()) {
      ++each;
      continue;
    }
    send_list(owner, to->second, list);
    each = lists.erase(each);
  }
}

void reference_exchange::received(object_replies& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  carried_bytes metadata;
  metadata_reader reader;
  for (auto& reply : message.objects) {
    if (reply.metadata_as_before)
      reply.metadata = metadata;
    metadata = reply.metadata;
    take(*from, reply, reader);
  }
  ask_owners({});
}

void reference_exchange::take(const incarnation_id& owner, object_reply& reply,
                              metadata_reader& reader) {
  // The reader that requested it may have let go meanwhile.
  auto entry = core_->gateway().find_borrowed({.owner = owner, .sequence = reply.sequence});
  if (!entry || (reply.outcome == reply_outcome::stored && pulled_already(*entry.get(), reply)))
    return;
  switch (apply_reply(entry, reply, reader)) {
    case reply_result::settled:
      stop_if_freed(*entry.get());
      break;
    case reply_result::stale:
      requests_after_stale_reply(*entry.get())[owner].push_back(reply.sequence);
      break;
    case reply_result::deferred:
      requests_after_deferral(*entry.get())[owner].push_back(reply.sequence);
      break;
    case reply_result::to_pull:
      return start_pull(*entry.get(), reply, reader);
  }
  if (reply.outcome == reply_outcome::stored)
    report(entry->id(), reply.source.ticket, news_of(*entry.get()));
}

void reference_exchange::borrowed_unpinned(const object_id& object) {
  turn();
  // A node without a session checks its readers itself.
  if (auto to = peers_.find(object.owner); to != peers_.end())
    send(to->second, objects_unpinned{to->second.session, {object.sequence}});
}

void reference_exchange::send_reports() {
  turn();
  flush(reports_, [this](const incarnation_id&, const peer& to, auto& copies) {
    in_parts(copies, sequences_a_message / 2, [&](auto part) {
      send(to, report_copies{to.session, {part.begin(), part.end()}});
    });
  });
}

// -- an owner -------------------------------------------------------------------------------------

void reference_exchange::received(const request_objects& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  // A node that has returned an object gets no reply. It may have borrowed it anew meanwhile, and
  // then requests it anew: a reply to the first request must not be taken for one to the second.
  auto sequences = message.sequences;
  std::erase_if(sequences, [&](auto each) { return !tables_->exports().borrows(*from, each); });
  auto large_form = message.form != reply_form::bytes && can_transfer(peers_.at(*from))
                      ? reply_form::description
                      : reply_form::bytes;
  // Piece by piece: an answer is encoded and on its way while the next one is put together.
  in_parts(sequences, objects_an_answer, [&](auto piece) {
    value_server_->requested({{*from, message.session}, message.form, large_form}, piece);
    send_answers();
  });
}

void reference_exchange::tell_ready(const gateway_events& events) {
  for (auto sequence : events.ready) {
    value_server_->ready(sequence);
    if (drain_)
      drain_->table.look_at(sequence);
  }
  send_answers();
}

void reference_exchange::send_answers() {
  for (auto& [reader, answer] : value_server_->take_answers())
    if (auto to = peers_.find(reader.node);
        to != peers_.end() && to->second.session == reader.session)
      send(to->second, std::move(answer));
}

void reference_exchange::received(const objects_unpinned& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  for (auto sequence : message.sequences)
    core_->send_to_shard(core_->shard_of(sequence), copy_unpinned{sequence});
}

void reference_exchange::received(const report_copies& message) {
  turn();
  if (const auto* from = sender_of(message))
    for (const auto& copy : message.copies)
      copies_->report(*from, copy);
}

// -- freeing --------------------------------------------------------------------------------------

/// To those who hold what is this node's; owners of other objects learn it from the tables.
void reference_exchange::pass_on_freed(const gateway_events& events) {
  for (auto sequence : events.freed)
    notify_borrowers(sequence);
  send_answers();
  for (const auto& object : events.traffic.freed)
    if (auto entry = core_->gateway().find_borrowed(object))
      stop_if_freed(*entry.get());
}

/// A node that borrows the object from now on requests it, and learns of the failure then.
void reference_exchange::notify_borrowers(std::uint64_t sequence) {
  auto entry = core_->gateway().find_own(sequence);
  if (!entry)
    return;
  auto news = reply_with_error(sequence, reply_outcome::failed, entry->failure());
  for (const auto& [node, count] : tables_->exports().borrowers_of(sequence))
    if (auto to = peers_.find(node); to != peers_.end())
      value_server_->reply(news, {node, to->second.session});
}

void reference_exchange::received(const free_objects& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  // A node that frees an object holds it: frees are sent before returns.
  for (auto sequence : message.sequences)
    if (tables_->exports().borrows(*from, sequence))
      free_object(*core_->gateway().find_own(sequence).get());
}

} // namespace mobula
