// Who waits for the entries of a stripe: linked to the entry and to the stripe, so that both can
// wake all of theirs; outside of the mutex, since who is woken may do anything.

#include "mobula/actors/objects/wait_group.hpp"
#include "mobula/actors/objects/wait_list.hpp"

namespace mobula {

void wait_list::attach(wait_link& link, wait_link*& first_of_entry) noexcept {
  link.next_of_entry = first_of_entry;
  link.back_of_entry = &first_of_entry;
  if (first_of_entry != nullptr)
    first_of_entry->back_of_entry = &link.next_of_entry;
  first_of_entry = &link;
  link.next_of_stripe = first_;
  link.back_of_stripe = &first_;
  if (first_ != nullptr)
    first_->back_of_stripe = &link.next_of_stripe;
  first_ = &link;
  ++size_;
}

void wait_list::unlink(wait_link& link) noexcept {
  if (link.linked())
    take_off(link);
}

void wait_list::refuse(woken_links& woken) {
  refused_ = true;
  while (first_ != nullptr)
    detach(*first_, woken);
}

void wait_list::wake(const woken_links& woken) {
  for (auto* link : woken) {
    auto* group = link->group;
    group->notify();
    group->drop_ref();
  }
}

void wait_list::take_off(wait_link& link) noexcept {
  *link.back_of_entry = link.next_of_entry;
  if (link.next_of_entry != nullptr)
    link.next_of_entry->back_of_entry = link.back_of_entry;
  *link.back_of_stripe = link.next_of_stripe;
  if (link.next_of_stripe != nullptr)
    link.next_of_stripe->back_of_stripe = link.back_of_stripe;
  link.back_of_entry = nullptr;
  link.back_of_stripe = nullptr;
  --size_;
}

void wait_list::detach(wait_link& link, woken_links& woken) {
  take_off(link);
  link.group->add_ref();
  woken.push_back(&link);
}

} // namespace mobula
