#include "mobula/actors/member_watchers.hpp"

#include <utility>

#include "mobula/store/assertion.hpp"

namespace mobula {

void member_watchers::add(const watch_members& message) {
  for (const auto& [incarnation, member] : members_)
    message.watcher({member, std::nullopt});
  watchers_.push_back(message.watcher);
}

void member_watchers::joined(const member_info& member) {
  auto inserted = members_.emplace(member.record.incarnation, member).second;
  MOBULA_ASSERT(inserted);
  tell({member, std::nullopt});
}

void member_watchers::left(const incarnation_id& incarnation, departure why) {
  auto known = members_.extract(incarnation);
  MOBULA_ASSERT(!known.empty());
  tell({std::move(known.mapped()), why});
}

void member_watchers::tell(const member_event& event) const {
  for (const auto& watcher : watchers_)
    watcher(event);
}

} // namespace mobula
