#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/membership/member_info.hpp"

namespace mobula {

/// Calls `watcher` with each change from now on, and first with the members that there are. In the
/// actor that owns the membership, so it must not block. What it throws is logged, and it is called
/// again all the same.
struct watch_members {
  std::function<void(const member_event&)> watcher;
};

/// Returns whether the calling thread runs such a function right now, of any node: what waits for
/// an actor that this one is, or keeps from running, would wait for ever.
[[nodiscard]] bool in_member_watcher() noexcept;

/// Tells the application who comes and goes. Bounded by the members, and by what the application
/// asks for.
class member_watchers {
public:
  void add(const watch_members& message);

  void joined(const member_info& member);

  /// REQUIRES: it has joined.
  void left(const incarnation_id& incarnation, departure why);

private:
  void tell(const member_event& event) const;

  std::map<incarnation_id, member_info> members_; ///< raised by `joined`, lowered by `left`
  std::vector<std::function<void(const member_event&)>>
    watchers_; ///< raised by `add`, never lowered
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::watch_members)
