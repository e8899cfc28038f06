// Values whose bytes come over the data port: from the owner's word that there is one to the end of
// its pull, and what is said to the owner of the copy.

#include <utility>

#include "mobula/actors/exchange/object_reply.hpp"
#include "mobula/actors/exchange/reference_exchange.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

// -- pulls ----------------------------------------------------------------------------------------

/// What has been read in its owner's arena has its place there, and takes bytes only in a message.
reference_exchange::request_lists&
reference_exchange::requests_after_stale_reply(const object_entry& entry) {
  auto in_place = entry.phase() == object_phase::stored && !is_pulled(entry);
  return in_place ? inline_requests_ : pull_requests_;
}

/// A value that nothing is known of yet may be anywhere by then.
reference_exchange::request_lists&
reference_exchange::requests_after_deferral(const object_entry& entry) {
  return entry.phase() == object_phase::pending ? in_place_requests_
                                                : requests_after_stale_reply(entry);
}

/// Returns whether the value is on its way already. What is told of it then is a new place to get
/// it from, which is not needed, and a new name of the copy.
bool reference_exchange::pulled_already(const object_entry& entry, const object_reply& reply) {
  auto known = pulls_.find(&entry);
  if (known == pulls_.end())
    return false;
  known->second.ticket = reply.source.ticket;
  return true;
}

void reference_exchange::start_pull(object_entry& entry, const object_reply& reply,
                                    metadata_reader& reader) {
  auto copy = copy_to_pull(entry, reply, reader);
  auto source = reply.source;
  // The owner may know nodes that this one cannot reach.
  if (auto known = peers_.find(source.node);
      known == peers_.end() || known->second.data.where.empty())
    source.node = entry.id().owner;
  pulls_.emplace(&entry, pull{copy, source.ticket});
  auto priority = core_->gateway().priority_of(entry.id());
  caf::anon_send(core_->transfers(),
                 pull_value{share_use(entry), std::move(copy), priority, source});
}

/// Those that have not begun learn it when they do.
void reference_exchange::raise_priorities(const gateway_events& events) {
  for (const auto& object : events.raised) {
    auto entry = core_->gateway().find_borrowed(object);
    auto known = entry ? pulls_.find(entry.get()) : pulls_.end();
    if (known != pulls_.end())
      caf::anon_send(core_->transfers(), raise_priority{known->second.copy->pulled_as,
                                                        core_->gateway().priority_of(object)});
  }
}

void reference_exchange::pull_ended(const mobula::pull_ended& end) {
  turn();
  auto& entry = **end.entry;
  // Its last reference may have gone, or its owner, while this was on its way.
  auto ended = pulls_.extract(&entry);
  if (ended.empty())
    return;
  auto id = entry.id();
  report(id, ended.mapped().ticket,
         end.outcome == pull_outcome::arrived ? news_of(entry) : copy_news::gone);
  switch (end.outcome) {
    case pull_outcome::arrived:
      break;
    case pull_outcome::failed:
      // In this order: a reader that learns of the refusal and tries again must send a new request.
      core_->gateway().reset_request(id);
      entry.refuse_readers(*end.reason);
      break;
    case pull_outcome::gone:
      pull_requests_[id.owner].push_back(id.sequence);
      break;
    case pull_outcome::unreachable:
      if (entry.phase() == object_phase::pending) {
        inline_requests_[id.owner].push_back(id.sequence);
      } else {
        core_->gateway().reset_request(id);
        entry.refuse_readers(*end.reason);
      }
      break;
  }
  ask_owners({});
}

/// What is to be said of a copy that was whole: it goes if the value was found elsewhere meanwhile.
copy_news reference_exchange::news_of(const object_entry& entry) {
  return entry.phase() == object_phase::stored && is_pulled(entry) ? copy_news::whole
                                                                   : copy_news::gone;
}

/// Nothing is to be pulled for the entry any more, and what was pulled goes. The token may be null.
void reference_exchange::stop_pull(const object_entry& entry, release_token token) {
  auto pull = pulls_.extract(&entry);
  auto copy = pull.empty() ? copy_pointer{entry.copy()} : std::move(pull.mapped().copy);
  caf::anon_send(core_->transfers(),
                 end_pull{std::move(copy), std::make_shared<release_token>(std::move(token))});
}

void reference_exchange::stop_if_freed(const object_entry& entry) {
  if (entry.phase() != object_phase::freed)
    return;
  keeper_->forget(entry);
  if (has_pulled(entry))
    stop_pull(entry, nullptr);
}

/// Returns whether the value was pulled, or is on its way.
bool reference_exchange::has_pulled(const object_entry& entry) const {
  return pulls_.contains(&entry) || is_pulled(entry);
}

/// Until a pull has ended here, its copy may be on its way into the entry: whoever may write that
/// gets the token. The other tokens go with the turn.
void reference_exchange::let_go(std::vector<release_token>& tokens) {
  for (auto& token : tokens) {
    if (keeper_ != nullptr)
      keeper_->forget(*token);
    if (has_pulled(*token)) {
      auto& entry = *token;
      stop_pull(entry, std::move(token));
    }
  }
}

// -- reports ------------------------------------------------------------------------------------

void reference_exchange::copy_evicted(const mobula::copy_evicted& news) {
  report(news.object, news.ticket, copy_news::gone);
}

/// Sent when the events that wait have had their turn: many copies end at the same time.
void reference_exchange::report(const object_id& object, copy_ticket ticket, copy_news news) {
  if (!peers_.contains(object.owner))
    return;
  if (reports_.empty())
    caf::anon_send(core_->cluster(), reports_due{});
  reports_[object.owner].push_back({object.sequence, ticket, news});
}

} // namespace mobula
