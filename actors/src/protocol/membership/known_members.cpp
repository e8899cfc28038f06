// The nodes that a membership table knows: who of them is connected, who is vouched for, and who
// may give up its place.

#include "mobula/actors/protocol/membership/known_members.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- one of them ----------------------------------------------------------------------------------

known_member* known_members::find(const incarnation_id& incarnation) {
  auto found = members_.find(incarnation);
  return found == members_.end() ? nullptr : &found->second;
}

const known_member* known_members::find_connected(const incarnation_id& incarnation) const {
  auto found = members_.find(incarnation);
  return found != members_.end() && found->second.connected() ? &found->second : nullptr;
}

const known_member* known_members::find_link(link_id link) const {
  auto session = sessions_.find(link);
  return session == sessions_.end() ? nullptr : &members_.at(session->second);
}

bool known_members::is_vouched_for(const incarnation_id& incarnation) const {
  auto found = members_.find(incarnation);
  return found != members_.end() && (found->second.connected() || !found->second.vouchers.empty());
}

// -- all ------------------------------------------------------------------------------------------

std::vector<const known_member*> known_members::connected() const {
  std::vector<const known_member*> result;
  for (const auto& [incarnation, who] : members_)
    if (who.connected())
      result.push_back(&who);
  return result;
}

std::vector<const known_member*> known_members::unreachable() const {
  std::vector<const known_member*> result;
  for (const auto& [incarnation, who] : members_)
    if (!who.obstacle.empty() && !who.vouchers.empty())
      result.push_back(&who);
  return result;
}

std::vector<member_hint> known_members::hints_without(const incarnation_id& receiver) const {
  std::vector<member_hint> result;
  for (const auto& [incarnation, who] : members_)
    if (who.connected() && incarnation != receiver)
      result.push_back({incarnation, who.record.control});
  return result;
}

// -- places ---------------------------------------------------------------------------------------

bool known_members::fits(const incarnation_id& incarnation) const {
  return members_.size() < max_members_ || members_.contains(incarnation);
}

const known_member* known_members::longest_lost() const {
  const known_member* result = nullptr;
  for (const auto& [incarnation, who] : members_) {
    if (who.connected() || !who.vouchers.empty())
      continue;
    if (result == nullptr || who.rounds_left < result->rounds_left)
      result = &who;
  }
  return result;
}

// -- changes --------------------------------------------------------------------------------------

known_member& known_members::connect(const node_record& record, session_id session, link_id link) {
  auto& who = members_[record.incarnation];
  MOBULA_ASSERT(!who.connected() && !sessions_.contains(link));
  who.record = record;
  who.session = session;
  who.link = link;
  who.rounds_left = 0;
  who.obstacle.clear();
  sessions_.emplace(link, record.incarnation);
  return who;
}

void known_members::disconnect(known_member& who) {
  sessions_.erase(who.link);
  who.session = session_id::none;
}

void known_members::clear() {
  members_.clear();
  sessions_.clear();
}

} // namespace mobula
