// Gives an entry its value before others may see it.

#include "mobula/actors/objects/entry_draft.hpp"

#include <utility>

namespace mobula {

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

} // namespace mobula
