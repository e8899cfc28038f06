// A borrower's side of reading: from a reader's request to the owner's reply, to the end of a pull,
// to the end of the reference.

#include "mobula/actors/exchange/borrowed_values.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/exchange/reply_intake.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"

namespace mobula {

namespace {

error_info failure_of(const object_entry& entry, reference_failure reason) {
  auto id = to_string(entry.id());
  if (reason == reference_failure::owner_died)
    return {.type = error_type::owner_died,
            .message = fmt::format("node {}, which owned object {}, is dead or cannot be reached",
                                   to_string(entry.id().owner), id),
            .origin = entry.core().origin()};
  return {.type = error_type::object_deleted,
          .message = fmt::format("object {} does not exist any more at its owner", id),
          .origin = entry.core().origin()};
}

} // namespace

borrowed_values::borrowed_values(node_core& core, exchange_peers& peers,
                                 const borrow_table& borrows, value_keeper& keeper)
  : core_(core), peers_(peers), borrows_(borrows), keeper_(keeper), requests_(core, peers),
    pulls_(core, peers), reports_(core, peers) {
  // nop
}

// -- what happened on this node -------------------------------------------------------------------

/// Until a pull has ended here, its copy may be on its way into the entry: whoever may write that
/// gets the token. The other tokens go with the turn.
void borrowed_values::let_go(std::vector<release_token>& tokens) {
  for (auto& token : tokens) {
    keeper_.forget(*token);
    if (pulls_.has(*token)) {
      auto& entry = *token;
      pulls_.stop(entry, std::move(token));
    }
  }
}

void borrowed_values::freed(std::span<const object_id> objects) {
  for (const auto& object : objects)
    if (auto entry = core_.gateway().find_borrowed(object))
      stop_if_freed(*entry.get());
}

void borrowed_values::stop_if_freed(const object_entry& entry) {
  if (entry.phase() != object_phase::freed)
    return;
  keeper_.forget(entry);
  if (pulls_.has(entry))
    pulls_.stop(entry, nullptr);
}

/// A reader may have come while the references of a dead owner were failing: nobody is to be asked
/// for that.
void borrowed_values::requested(std::span<const object_id> objects) {
  for (const auto& object : objects)
    if (borrows_.expects(object.owner))
      requests_.add(object, reply_form::place);
  requests_.send();
}

void borrowed_values::unpinned(const object_id& object) {
  // A node without a session checks its readers itself.
  if (const auto* to = peers_.find(object.owner))
    peers_.send(*to, objects_unpinned{to->session, {object.sequence}});
}

void borrowed_values::pull_ended(const mobula::pull_ended& end) {
  auto& entry = **end.entry;
  // Its last reference may have gone, or its owner, while this was on its way.
  auto ended = pulls_.ended(entry);
  if (!ended)
    return;
  auto id = entry.id();
  reports_.add(id, ended->ticket,
               end.outcome == pull_outcome::arrived ? news_of(entry) : copy_news::gone);
  switch (end.outcome) {
    case pull_outcome::arrived:
      break;
    case pull_outcome::failed:
      // In this order: a reader that learns of the refusal and tries again must send a new request.
      core_.gateway().reset_request(id);
      waiting_readers{entry}.refuse(*end.reason);
      break;
    case pull_outcome::gone:
      requests_.add(id, reply_form::description);
      break;
    case pull_outcome::unreachable:
      if (entry.phase() == object_phase::pending) {
        requests_.add(id, reply_form::bytes);
      } else {
        core_.gateway().reset_request(id);
        waiting_readers{entry}.refuse(*end.reason);
      }
      break;
  }
  requests_.send();
}

void borrowed_values::copy_evicted(const mobula::copy_evicted& news) {
  reports_.add(news.object, news.ticket, copy_news::gone);
}

/// What is to be said of a copy that was whole: it goes if the value was found elsewhere meanwhile.
copy_news borrowed_values::news_of(const object_entry& entry) {
  return entry.phase() == object_phase::stored && is_pulled(entry) ? copy_news::whole
                                                                   : copy_news::gone;
}

// -- what became of an owner ----------------------------------------------------------------------

void borrowed_values::fail(object_entry& entry, reference_failure reason) {
  if (keeper_.keeps(entry))
    return;
  end_waiting(entry, failure_of(entry, reason));
  if (pulls_.has(entry))
    pulls_.stop(entry, nullptr);
}

void borrowed_values::replied(const incarnation_id& owner, object_replies& message) {
  carried_bytes metadata;
  metadata_reader reader;
  for (auto& reply : message.objects) {
    if (reply.metadata_as_before)
      reply.metadata = metadata;
    metadata = reply.metadata;
    take(owner, reply, reader);
  }
  requests_.send();
}

void borrowed_values::take(const incarnation_id& owner, object_reply& reply,
                           metadata_reader& reader) {
  object_id object{.owner = owner, .sequence = reply.sequence};
  // The reader that requested it may have let go meanwhile.
  auto entry = core_.gateway().find_borrowed(object);
  if (!entry
      || (reply.outcome == reply_outcome::stored && pulls_.started_already(*entry.get(), reply)))
    return;
  switch (apply_reply(entry, reply, reader)) {
    case reply_result::settled:
      stop_if_freed(*entry.get());
      break;
    case reply_result::stale:
      requests_.add(object, form_after_stale_reply(*entry.get()));
      break;
    case reply_result::deferred:
      requests_.add(object, form_after_deferral(*entry.get()));
      break;
    case reply_result::to_pull:
      return pulls_.start(*entry.get(), reply, reader);
  }
  if (reply.outcome == reply_outcome::stored)
    reports_.add(object, reply.source.ticket, news_of(*entry.get()));
}

} // namespace mobula
