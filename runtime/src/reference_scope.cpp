// Finds the references of a value while it is encoded or decoded. Codecs know nothing of objects,
// so that what they have found is kept in a scope of the thread.

#include "mobula/runtime/reference_scope.hpp"

#include <utility>

namespace mobula::internal {

namespace {

thread_local encode_scope* current_encode_scope = nullptr;
thread_local decode_scope* current_decode_scope = nullptr;

} // namespace

// -- encode_scope ---------------------------------------------------------------------------------

encode_scope::encode_scope() noexcept : outer_(std::exchange(current_encode_scope, this)) {
  // nop
}

encode_scope::~encode_scope() {
  current_encode_scope = outer_;
}

encode_scope* encode_scope::current() noexcept {
  return current_encode_scope;
}

// -- decode_scope ---------------------------------------------------------------------------------

decode_scope::decode_scope(const object_extras* extras) noexcept
  : outer_(std::exchange(current_decode_scope, this)), extras_(extras) {
  // nop
}

decode_scope::~decode_scope() {
  current_decode_scope = outer_;
}

decode_scope* decode_scope::current() noexcept {
  return current_decode_scope;
}

object_handle decode_scope::find(const object_id& id) noexcept {
  if (extras_ == nullptr)
    return {};
  const auto& nested = extras_->nested;
  auto entries = nested.entries();
  for (std::size_t step = 0; step < entries.size(); ++step) {
    auto at = (next_ + step) % entries.size();
    if (nested.id_in_value(at) == id) {
      next_ = at + 1;
      entries[at]->add_handle();
      return object_handle::adopt(entries[at]);
    }
  }
  return {};
}

} // namespace mobula::internal
