// How two nodes agree on one session, whoever greets first and however their messages cross, and
// why one is refused. What a stranger says is checked before it changes anything.

#include "mobula/actors/protocol/membership/member_handshake.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/protocol/membership/member_checks.hpp"
#include "mobula/serialization/counted.hpp"

namespace mobula {

std::optional<refused> member_handshake::objection_to(const hello& message) const {
  const auto& ours = self_.config().speaks;
  const auto& theirs = message.speaks;
  auto us =
    fmt::format("node {} at {}", self_.record().name, to_string(self_.record().control.front()));
  if (self_.has_left())
    return refused{join_refusal::has_left,
                   fmt::format("{} has left its cluster; join through another member", us)};
  if (theirs.cluster != ours.cluster)
    return refused{join_refusal::wrong_cluster,
                   fmt::format("{} belongs to the cluster \"{}\", the joining node to \"{}\"; set "
                               "mobula.cluster to the same name on both",
                               us, ours.cluster, printable(theirs.cluster))};
  if (theirs.protocol_version != ours.protocol_version)
    return refused{join_refusal::wrong_protocol,
                   fmt::format("{} speaks version {} of the protocol, the joining node version {}; "
                               "run the same version of Mobula on both",
                               us, ours.protocol_version, theirs.protocol_version)};
  if (theirs.library_version != ours.library_version)
    return refused{join_refusal::wrong_library,
                   fmt::format("{} runs Mobula {}, the joining node {}; run the same version of "
                               "Mobula on both",
                               us, ours.library_version, printable(theirs.library_version))};
  if (auto fault = fault_of(message))
    return refused{join_refusal::malformed,
                   fmt::format("{} cannot make sense of what the joining node says of itself: {}; "
                               "is it a node of Mobula?",
                               us, *fault)};
  const auto& incarnation = message.record.incarnation;
  const auto* present = members_.find_connected(incarnation);
  if (incarnation == self_.incarnation()
      || (present != nullptr && present->record != message.record))
    return refused{join_refusal::duplicate_incarnation,
                   fmt::format("{} knows another node with the incarnation {}; give each node a "
                               "mobula.seed of its own, or none",
                               us, to_string(incarnation))};
  if (!members_.has_place_for(incarnation))
    return refused{join_refusal::cluster_full,
                   fmt::format("{} knows {} already, which is the most", us,
                               counted(members_.all().size(), "other node"))};
  return std::nullopt;
}

/// A peer that this node is in a handshake with learns that there is no session, and so does who
/// waits for one here.
void member_handshake::reject(link_id link, const member_message& message, const std::string& fault,
                              member_effects& effects) {
  ignore(message, fault, effects);
  if (const auto* greeting = std::get_if<welcome>(&message))
    effects.emplace_back(send_on_link{link, session_over{greeting->session}});
  for (auto id : contacts_.greeters_on(link)) {
    const auto& who = contacts_.at(id);
    contacts_.failed(
      id, dial_failure::lasting,
      fmt::format("the node at {} answered with a message ({}) that cannot be: {}; is it a "
                  "node of Mobula?",
                  to_string(who.targets[who.next_target]), name_of(message), fault),
      effects);
  }
}

void member_handshake::ignore(const member_message& message, const std::string& fault,
                              member_effects& effects) {
  auto count = ++ignored_[message.index()];
  if (std::has_single_bit(count))
    effects.emplace_back(report_ignored{fmt::format("a {} of another node: {} ({} of these so far)",
                                                    name_of(message), fault, count)});
}

void member_handshake::note_refusal(join_refusal reason, std::string text,
                                    member_effects& effects) {
  auto count = ++refused_[reason];
  if (!std::has_single_bit(count))
    return;
  if (count > 1)
    text += fmt::format(" ({} were refused for this reason so far)", count);
  effects.emplace_back(report_refused{reason, std::move(text)});
}

/// One that comes late is welcome, too, as long as its sender is still to become a member.
bool member_handshake::expects_welcome(link_id link, const incarnation_id& sender) const {
  return contacts_.greets(link, sender) || contacts_.seeks(sender);
}

bool member_handshake::is_of_another(link_id link, const incarnation_id& sender) const {
  const auto* known = members_.find_link(link);
  return known != nullptr && known->record.incarnation != sender;
}

std::string member_handshake::under_a_members_id(const node_record& stranger, link_id link) const {
  return fmt::format("node {} with the incarnation {} speaks under CAF's node id of the member {}; "
                     "give its actor system a mobula::config, which sees to an id of its own",
                     printable(stranger.name), to_string(stranger.incarnation),
                     members_.find_link(link)->record.name);
}

void member_handshake::handle(link_id link, const hello& message, member_effects& effects) {
  if (is_of_another(link, message.record.incarnation))
    return note_refusal(join_refusal::duplicate_incarnation,
                        under_a_members_id(message.record, link), effects);
  if (auto objection = objection_to(message)) {
    note_refusal(objection->reason, objection->text, effects);
    effects.emplace_back(send_on_link{link, *std::move(objection)});
    return;
  }
  const auto& incarnation = message.record.incarnation;
  if (auto* known = members_.find(incarnation); known != nullptr && known->connected()) {
    if (known->session != message.ends) {
      effects.emplace_back(
        send_on_link{link, already_connected{self_.incarnation(), known->session}});
      return;
    }
    sessions_.end(*known, departure::replaced, effects);
  } else if (contacts_.greets(link, incarnation) && self_.incarnation() < incarnation) {
    effects.emplace_back(send_on_link{link, crossed{self_.incarnation()}});
    return;
  }
  accept(link, message, effects);
}

void member_handshake::accept(link_id link, const hello& message, member_effects& effects) {
  const auto& record = message.record;
  auto session = self_.accept(message.proposal);
  effects.emplace_back(send_on_link{
    link, welcome{self_.record(), session, members_.hints_without(record.incarnation)}});
  sessions_.begin(link, record, session, effects);
}

void member_handshake::handle(link_id link, const welcome& message, member_effects& effects) {
  const auto& incarnation = message.record.incarnation;
  if (is_of_another(link, incarnation))
    return;
  if (incarnation == self_.incarnation())
    return reject(link, message, "its sender has the incarnation of this node", effects);
  if (self_.has_left() || !members_.has_place_for(incarnation)) {
    effects.emplace_back(send_on_link{link, leave_cluster{message.session}});
    for (auto id : contacts_.greeters_on(link))
      contacts_.failed(id, dial_failure::lasting,
                       fmt::format("this node knows {} already, which is the most",
                                   counted(members_.all().size(), "other node")),
                       effects);
    return;
  }
  auto* known = members_.find(incarnation);
  auto in_session = known != nullptr && known->connected();
  // Late: it came over another link, and the other side has ended that session since.
  if (in_session && message.session <= known->session) {
    for (auto id : contacts_.greeters_on(link))
      contacts_.arrived(id, incarnation, effects);
    return;
  }
  if (!expects_welcome(link, incarnation))
    return reject(link, message, "it answers no hello of this node", effects);
  if (in_session)
    sessions_.end(*known, departure::replaced, effects);
  sessions_.begin(link, message.record, message.session, effects);
  effects.emplace_back(
    send_on_link{link, members_changed{message.session, members_.hints_without(incarnation), {}}});
  sessions_.learn(incarnation, message.members, effects);
}

void member_handshake::handle(link_id link, const crossed& message, member_effects& effects) {
  if (message.sender == self_.incarnation())
    return reject(link, message, "its sender has the incarnation of this node", effects);
  for (auto id : contacts_.greeters_on(link)) {
    // From here on the join ends with the session that the other side begins.
    if (auto& who = contacts_.at(id); who.join)
      who.member = message.sender;
    if (members_.has_session(message.sender))
      contacts_.arrived(id, message.sender, effects);
    else
      contacts_.failed(id, dial_failure::passing, "the node there says hello itself", effects);
  }
}

void member_handshake::handle(link_id link, const already_connected& message,
                              member_effects& effects) {
  if (message.sender == self_.incarnation())
    return reject(link, message, "its sender has the incarnation of this node", effects);
  auto greeters = contacts_.greeters_on(link);
  if (greeters.empty())
    return;
  const auto* present = members_.find_connected(message.sender);
  if (present == nullptr) {
    self_.follow(message.session);
    effects.emplace_back(send_on_link{link, self_.greet(message.session)});
    return;
  }
  for (auto id : greeters) {
    if (present->session == message.session)
      contacts_.arrived(id, message.sender, effects);
    else
      contacts_.failed(id, dial_failure::passing, "the node there began another session", effects);
  }
}

void member_handshake::handle(link_id link, const refused& message, member_effects& effects) {
  for (auto id : contacts_.greeters_on(link)) {
    // One that is full now may have room later; of all others this round is the last.
    if (const auto& who = contacts_.at(id);
        !who.join && message.reason != join_refusal::cluster_full) {
      auto& rounds = members_.at(who.member).rounds_left;
      rounds = std::min(rounds, 1U);
    }
    contacts_.failed(id, dial_failure::lasting, printable(message.text), effects);
  }
}

} // namespace mobula
