// An entry before others may see it: it is given its value here, and announced.

#include "mobula/actors/objects/entry_draft.hpp"

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/object_host.hpp"

namespace mobula {

entry_draft::entry_draft(object_host& host, std::size_t capacity, const type_descriptor& type,
                         const call_site& where)
  : entry_draft(host.local_stripe(), capacity, type, where) {
  // nop
}

void entry_draft::publish_inline(std::size_t size, std::unique_ptr<object_extras> extras,
                                 heap_charge charge) noexcept {
  // It is given back when the entry's memory is.
  charge.release();
  entry_->state_.enter_inline(entry_->storage(size), std::move(extras));
}

void entry_draft::publish_stored(stored_copy& copy) noexcept {
  entry_->state_.set_copy(copy);
  entry_->state_.enter(object_phase::stored);
}

object_handle entry_draft::announce() {
  entry_->stripe().announce(*entry_);
  return hand_over();
}

} // namespace mobula
