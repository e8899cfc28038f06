// Calls the functions with which an application watches members, in the cluster actor. What they
// throw ends here, and their thread is marked, so that they cannot wait for the very actor they run
// in.

#include "mobula/actors/membership/member_watchers.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

using watcher_function = std::function<void(const member_event&)>;

thread_local bool is_watching = false;

/// Marks the thread for as long as it runs what an application watches with.
class watching_mark {
public:
  watching_mark() noexcept : before_(std::exchange(is_watching, true)) {
    // nop
  }

  watching_mark(const watching_mark&) = delete;
  watching_mark& operator=(const watching_mark&) = delete;

  ~watching_mark() {
    is_watching = before_;
  }

private:
  bool before_;
};

/// The application's code runs in an actor that the node lives by: what it throws ends here.
void call(const watcher_function& watcher, const member_event& event) {
  auto warn = [&](const char* what) {
    log_warning(fmt::format("a function that watches the members threw when it was told of {}: {}",
                            event.member.record.name, what));
  };
  watching_mark mark;
  try {
    watcher(event);
  } catch (const std::exception& error) {
    warn(error.what());
  } catch (...) {
    warn("something that is no std::exception");
  }
}

} // namespace

bool in_member_watcher() noexcept {
  return is_watching;
}

void member_watchers::add(const watch_members& message) {
  for (const auto& [incarnation, member] : members_)
    call(message.watcher, {member, std::nullopt});
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
    call(watcher, event);
}

} // namespace mobula
