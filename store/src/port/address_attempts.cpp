// How long each of a node's addresses is tried.

#include "mobula/store/port/address_attempts.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

int cost_of(connect_failure why) noexcept {
  switch (why) {
    case connect_failure::refused:
      return 0;
    case connect_failure::no_route:
      return 1;
    case connect_failure::another_node:
      return 2;
    case connect_failure::silent:
      break;
  }
  return 3;
}

} // namespace

address_attempts::address_attempts(std::size_t addresses, std::chrono::milliseconds limit)
  : addresses_(addresses), left_(limit) {
  MOBULA_ASSERT(addresses > 0);
}

std::chrono::milliseconds address_attempts::patience() const noexcept {
  return current_ + 1 == addresses_ ? left_ : left_ / 2;
}

bool address_attempts::failed(connect_failure why) noexcept {
  if (!worst_ || cost_of(why) > cost_of(*worst_))
    worst_ = why;
  if (current_ + 1 == addresses_)
    return false;
  left_ -= patience();
  ++current_;
  return true;
}

} // namespace mobula
