// What readers of this node ask owners for: gathers it by owner and form, and sends it once an
// event.

#include "mobula/actors/exchange/value_requests.hpp"

#include "message_parts.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

void value_requests::add(const object_id& object, reply_form best) {
  lists_of(best)[object.owner].push_back(object.sequence);
}

value_requests::request_lists& value_requests::lists_of(reply_form best) noexcept {
  switch (best) {
    case reply_form::place:
      return in_place_requests_;
    case reply_form::description:
      return pull_requests_;
    default:
      return inline_requests_;
  }
}

void value_requests::send() {
  send_lists(in_place_requests_, reply_form::place);
  send_lists(pull_requests_, reply_form::description);
  send_lists(inline_requests_, reply_form::bytes);
}

void value_requests::send_lists(request_lists& requests, reply_form best) {
  peers_.flush(
    requests, [&](const incarnation_id& owner, const exchange_peer& to, auto& sequences) {
      in_parts(sequences, sequences_a_message, [&](auto part) {
        peers_.send(to, request_objects{.session = to.session,
                                        .form = form_for(owner, to, best),
                                        .max_message_bytes = max_message_bytes(core_.options()),
                                        .sequences = {part.begin(), part.end()}});
      });
    });
}

/// Returns the form that an owner's replies are to have, at best: read where they are, pulled, or
/// in a message.
reply_form value_requests::form_for(const incarnation_id& owner, const exchange_peer& to,
                                    reply_form best) const {
  core_.arenas().retry(owner, core_.now());
  if (best == reply_form::place && core_.arenas().reader_of(owner) != nullptr)
    return reply_form::place;
  return best != reply_form::bytes && can_transfer(core_, to) ? reply_form::description
                                                              : reply_form::bytes;
}

void value_requests::owner_unreachable(const incarnation_id& owner) {
  in_place_requests_.erase(owner);
  pull_requests_.erase(owner);
  inline_requests_.erase(owner);
}

std::size_t value_requests::size() const {
  std::size_t result = 0;
  for (const auto* requests : {&in_place_requests_, &pull_requests_, &inline_requests_})
    for (const auto& [owner, sequences] : *requests)
      result += sequences.size();
  return result;
}

/// What has been read in its owner's arena has its place there, and takes bytes only in a message.
reply_form form_after_stale_reply(const object_entry& entry) {
  auto in_place = entry.phase() == object_phase::stored && !is_pulled(entry);
  return in_place ? reply_form::bytes : reply_form::description;
}

/// A value that nothing is known of yet may be anywhere by then.
reply_form form_after_deferral(const object_entry& entry) {
  return entry.phase() == object_phase::pending ? reply_form::place : form_after_stale_reply(entry);
}

} // namespace mobula
