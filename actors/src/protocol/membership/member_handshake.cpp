// How two nodes agree on one session, whoever greets first and however their messages cross, and
// why one is refused. What a stranger says is checked before it changes anything.

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/protocol/membership/member_checks.hpp"
#include "mobula/actors/protocol/membership/member_table.hpp"

namespace mobula {

void member_table::say_hello(link_id link, session_id ends, member_effects& effects) {
  effects.emplace_back(send_on_link{link, hello{.speaks = config_.speaks,
                                                .record = self_,
                                                .proposal = session_id{++last_session_},
                                                .ends = ends}});
}

void member_table::follow(session_id heard) {
  last_session_ = std::max(last_session_, std::min(static_cast<std::uint64_t>(heard),
                                                   member_limits::max_followed_session));
}

std::optional<refused> member_table::objection_to(const hello& message) const {
  const auto& ours = config_.speaks;
  const auto& theirs = message.speaks;
  auto us = fmt::format("node {} at {}", self_.name, to_string(self_.control.front()));
  if (left_)
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
  const auto* present = find_connected(incarnation);
  if (incarnation == self_.incarnation || (present != nullptr && present->record != message.record))
    return refused{join_refusal::duplicate_incarnation,
                   fmt::format("{} knows another node with the incarnation {}; give each node a "
                               "mobula.seed of its own, or none",
                               us, to_string(incarnation))};
  if (!has_place_for(incarnation))
    return refused{
      join_refusal::cluster_full,
      fmt::format("{} knows {} other nodes already, which is the most", us, members_.size())};
  return std::nullopt;
}

/// A peer that this node is in a handshake with learns that there is no session, and so does who
/// waits for one here.
void member_table::reject(link_id link, const member_message& message, const std::string& fault,
                          member_effects& effects) {
  ignore(message, fault, effects);
  if (const auto* greeting = std::get_if<welcome>(&message))
    effects.emplace_back(send_on_link{link, session_over{greeting->session}});
  for (auto id : greeters_on(link)) {
    const auto& who = contacts_.at(id);
    failed(id, dial_failure::lasting,
           fmt::format("the node at {} answered with a message ({}) that cannot be: {}; is it a "
                       "node of Mobula?",
                       to_string(who.targets[who.next_target]), name_of(message), fault),
           effects);
  }
}

void member_table::ignore(const member_message& message, const std::string& fault,
                          member_effects& effects) {
  auto count = ++ignored_[message.index()];
  if (std::has_single_bit(count))
    effects.emplace_back(report_ignored{fmt::format("a {} of another node: {} ({} of these so far)",
                                                    name_of(message), fault, count)});
}

void member_table::note_refusal(join_refusal reason, std::string text, member_effects& effects) {
  auto count = ++refused_[reason];
  if (!std::has_single_bit(count))
    return;
  if (count > 1)
    text += fmt::format(" ({} were refused for this reason so far)", count);
  effects.emplace_back(report_refused{reason, std::move(text)});
}

/// One that comes late is welcome, too, as long as its sender is still to become a member.
bool member_table::expects_welcome(link_id link, const incarnation_id& sender) const {
  return greets(link, sender) || std::ranges::any_of(contacts_, [&](const auto& entry) {
           return entry.second.member == sender;
         });
}

bool member_table::is_of_another(link_id link, const incarnation_id& sender) const {
  auto known = sessions_.find(link);
  return known != sessions_.end() && known->second != sender;
}

std::string member_table::under_a_members_id(const node_record& stranger, link_id link) const {
  return fmt::format("node {} with the incarnation {} speaks under CAF's node id of the member {}; "
                     "give its actor system a mobula::config, which sees to an id of its own",
                     printable(stranger.name), to_string(stranger.incarnation),
                     members_.at(sessions_.at(link)).record.name);
}

void member_table::handle(link_id link, const hello& message, member_effects& effects) {
  if (is_of_another(link, message.record.incarnation))
    return note_refusal(join_refusal::duplicate_incarnation,
                        under_a_members_id(message.record, link), effects);
  if (auto objection = objection_to(message)) {
    note_refusal(objection->reason, objection->text, effects);
    effects.emplace_back(send_on_link{link, *std::move(objection)});
    return;
  }
  const auto& incarnation = message.record.incarnation;
  if (auto found = members_.find(incarnation);
      found != members_.end() && found->second.session != session_id::none) {
    if (found->second.session != message.ends) {
      effects.emplace_back(
        send_on_link{link, already_connected{self_.incarnation, found->second.session}});
      return;
    }
    end_session(found->second, departure::replaced, effects);
  } else if (greets(link, incarnation) && self_.incarnation < incarnation) {
    effects.emplace_back(send_on_link{link, crossed{self_.incarnation}});
    return;
  }
  accept(link, message, effects);
}

void member_table::accept(link_id link, const hello& message, member_effects& effects) {
  const auto& record = message.record;
  // Larger than any session of either side so far.
  session_id session{std::max(static_cast<std::uint64_t>(message.proposal), ++last_session_)};
  effects.emplace_back(
    send_on_link{link, welcome{self_, session, hints_without(record.incarnation)}});
  begin_session(link, record, session, effects);
}

void member_table::handle(link_id link, const welcome& message, member_effects& effects) {
  const auto& incarnation = message.record.incarnation;
  if (is_of_another(link, incarnation))
    return;
  if (incarnation == self_.incarnation)
    return reject(link, message, "its sender has the incarnation of this node", effects);
  if (left_ || !has_place_for(incarnation)) {
    effects.emplace_back(send_on_link{link, leave_cluster{message.session}});
    for (auto id : greeters_on(link))
      failed(
        id, dial_failure::lasting,
        fmt::format("this node knows {} other nodes already, which is the most", members_.size()),
        effects);
    return;
  }
  auto found = members_.find(incarnation);
  auto in_session = found != members_.end() && found->second.session != session_id::none;
  // Late: it came over another link, and the other side has ended that session since.
  if (in_session && message.session <= found->second.session) {
    for (auto id : greeters_on(link))
      arrived(id, incarnation, effects);
    return;
  }
  if (!expects_welcome(link, incarnation))
    return reject(link, message, "it answers no hello of this node", effects);
  if (in_session)
    end_session(found->second, departure::replaced, effects);
  begin_session(link, message.record, message.session, effects);
  effects.emplace_back(
    send_on_link{link, members_changed{message.session, hints_without(incarnation), {}}});
  learn(incarnation, message.members, effects);
}

void member_table::handle(link_id link, const crossed& message, member_effects& effects) {
  if (message.sender == self_.incarnation)
    return reject(link, message, "its sender has the incarnation of this node", effects);
  for (auto id : greeters_on(link)) {
    // From here on the join ends with the session that the other side begins.
    if (auto& who = contacts_.at(id); who.join)
      who.member = message.sender;
    if (has_session(message.sender))
      arrived(id, message.sender, effects);
    else
      failed(id, dial_failure::passing, "the node there says hello itself", effects);
  }
}

void member_table::handle(link_id link, const already_connected& message, member_effects& effects) {
  if (message.sender == self_.incarnation)
    return reject(link, message, "its sender has the incarnation of this node", effects);
  auto greeters = greeters_on(link);
  if (greeters.empty())
    return;
  const auto* present = find_connected(message.sender);
  if (present == nullptr) {
    follow(message.session);
    say_hello(link, message.session, effects);
    return;
  }
  for (auto id : greeters) {
    if (present->session == message.session)
      arrived(id, message.sender, effects);
    else
      failed(id, dial_failure::passing, "the node there began another session", effects);
  }
}

void member_table::handle(link_id link, const refused& message, member_effects& effects) {
  for (auto id : greeters_on(link)) {
    // One that is full now may have room later; of all others this round is the last.
    if (const auto& who = contacts_.at(id);
        !who.join && message.reason != join_refusal::cluster_full) {
      auto& rounds = members_.at(who.member).rounds_left;
      rounds = std::min(rounds, 1U);
    }
    failed(id, dial_failure::lasting, printable(message.text), effects);
  }
}

} // namespace mobula
