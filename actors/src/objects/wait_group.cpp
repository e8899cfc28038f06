// Lets a thread or an actor wait for some of many entries: each entry has a link to the group, and
// whoever seals it counts the group down. Nothing polls.

#include "mobula/actors/objects/wait_group.hpp"

#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/caf/simulated_wait.hpp"
#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/objects_ready.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- wait_group -----------------------------------------------------------------------------------

wait_group::~wait_group() = default;

void wait_group::arm(std::span<object_entry* const> entries, std::size_t needed, wait_goal goal) {
  links_ = std::make_unique<wait_link[]>(entries.size());
  size_ = entries.size();
  // One more than needed: nothing fires before all links are in place.
  missing_.store(static_cast<std::int64_t>(needed) + 1, std::memory_order_relaxed);
  for (std::size_t index = 0; index < size_; ++index) {
    links_[index].entry = entries[index];
    links_[index].group = this;
    links_[index].goal = goal;
  }
  // All are complete before any is watched: what throws here is canceled as a whole.
  for (std::size_t index = 0; index < size_; ++index)
    watch(links_[index]);
  notify();
}

void wait_group::watch(wait_link& link) {
  auto& entry = *link.entry;
  auto seen = object_phase::pending;
  bool there = false;
  // The stripe's mutex is held, under which alone phases change.
  auto look = [&] {
    seen = entry.phase();
    if (seen == object_phase::pending) {
      link.failure = waiting_readers{entry}.kept_refusal(link.goal);
      there = link.failure != nullptr;
    } else {
      there = entry.has_failed() || waiting_readers{entry}.serve(link);
    }
    return there;
  };
  if (entry.stripe().link_unless(link, look)) {
    if (seen == object_phase::stored)
      entry.host().request_restore(entry);
    else
      entry.host().fetch(entry, link.goal);
  } else {
    notify();
  }
}

void wait_group::cancel() noexcept {
  for (std::size_t index = 0; index < size_; ++index)
    links_[index].entry->stripe().unlink(links_[index]);
}

pinned_value wait_group::take_pin(std::size_t index) noexcept {
  MOBULA_ASSERT(!links_[index].linked());
  return std::move(links_[index].pin);
}

std::unique_ptr<error_info> wait_group::take_failure(std::size_t index) noexcept {
  MOBULA_ASSERT(!links_[index].linked());
  return std::move(links_[index].failure);
}

bool wait_group::refused(std::size_t index) const noexcept {
  return links_[index].failure != nullptr;
}

void wait_group::notify() {
  // Acquire-release: who fires sees the pins that all notifiers set.
  if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    fire_once();
}

void wait_group::abort() {
  fire_once();
}

void wait_group::fire_once() {
  if (!has_fired_.exchange(true, std::memory_order_acq_rel))
    fire();
}

// -- blocking_wait --------------------------------------------------------------------------------

void blocking_wait::fire() {
  std::unique_lock guard{mutex_};
  fired_ = true;
  condition_.notify_all();
}

bool blocking_wait::fired() const {
  std::unique_lock guard{mutex_};
  return fired_;
}

blocking_wait::result blocking_wait::wait(object_host& host,
                                          std::optional<caf_clock::time_point> deadline) {
  if (fired())
    return result::fired;
  if (auto* scheduler = host.simulation())
    return simulate(*scheduler, deadline);
  std::unique_lock guard{mutex_};
  if (!deadline) {
    condition_.wait(guard, [this] { return fired_; });
    return result::fired;
  }
  return condition_.wait_until(guard, *deadline, [this] { return fired_; }) ? result::fired
                                                                            : result::timed_out;
}

blocking_wait::result blocking_wait::simulate(simulation_scheduler& scheduler,
                                              std::optional<caf_clock::time_point> deadline) {
  switch (simulate_until(
    scheduler, [this] { return fired(); }, deadline)) {
    case simulated_end::done:
      return result::fired;
    case simulated_end::timed_out:
      return result::timed_out;
    case simulated_end::would_block_forever:
      break;
  }
  return result::would_block_forever;
}

// -- actor_wait -----------------------------------------------------------------------------------

void actor_wait::fire() {
  answer_request(receiver_, request_, objects_ready{});
}

} // namespace mobula
