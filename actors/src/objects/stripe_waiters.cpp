// Who waits for the entries of a stripe: linked to the entry and to the stripe, so that both can
// wake all of theirs; outside of the mutex, since who is woken may do anything.

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/wait_group.hpp"

namespace mobula {

void entry_stripe::attach_waiter(wait_link& link) noexcept {
  auto& first_of_entry = link.entry->waiters_;
  link.next_of_entry = first_of_entry;
  link.back_of_entry = &first_of_entry;
  if (first_of_entry != nullptr)
    first_of_entry->back_of_entry = &link.next_of_entry;
  first_of_entry = &link;
  link.next_of_stripe = waiters_;
  link.back_of_stripe = &waiters_;
  if (waiters_ != nullptr)
    waiters_->back_of_stripe = &link.next_of_stripe;
  waiters_ = &link;
  ++waiting_;
}

void entry_stripe::unlink_locked(wait_link& link) noexcept {
  *link.back_of_entry = link.next_of_entry;
  if (link.next_of_entry != nullptr)
    link.next_of_entry->back_of_entry = link.back_of_entry;
  *link.back_of_stripe = link.next_of_stripe;
  if (link.next_of_stripe != nullptr)
    link.next_of_stripe->back_of_stripe = link.back_of_stripe;
  link.back_of_entry = nullptr;
  link.back_of_stripe = nullptr;
}

void entry_stripe::unlink(wait_link& link) noexcept {
  std::unique_lock guard{mutex_};
  if (!link.linked())
    return;
  unlink_locked(link);
  --waiting_;
}

void entry_stripe::detach_waiter(wait_link& link, std::vector<wait_link*>& woken) {
  unlink_locked(link);
  --waiting_;
  // Counted under the mutex: a group that is cancelled right now must outlive the notification.
  link.group->add_ref();
  woken.push_back(&link);
}

void entry_stripe::wake(const std::vector<wait_link*>& woken) {
  for (auto* link : woken) {
    auto* group = link->group;
    group->notify();
    group->drop_ref();
  }
}

void entry_stripe::refuse_waiters() {
  std::vector<wait_group*> groups;
  {
    std::unique_lock guard{mutex_};
    waiters_refused_ = true;
    while (auto* link = waiters_) {
      unlink_locked(*link);
      --waiting_;
      link->group->add_ref();
      groups.push_back(link->group);
    }
  }
  for (auto* group : groups) {
    group->notify();
    group->drop_ref();
  }
}

} // namespace mobula
