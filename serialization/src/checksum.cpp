// Hashes bytes by XXH3-64. The library's plain functions use what every x86-64 has (SSE2); on bytes
// that are in the cache already those that look at the processor first are more than twice as fast.

#include "mobula/serialization/checksum.hpp"

#include <new>

#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h> // gives the names below to the functions that look
#endif

namespace mobula {

void running_checksum::state_deleter::operator()(XXH3_state_s* state) const noexcept {
  XXH3_freeState(state);
}

running_checksum::running_checksum() : state_(XXH3_createState()) {
  if (state_ == nullptr)
    throw std::bad_alloc{};
  reset();
}

void running_checksum::reset() noexcept {
  XXH3_64bits_reset(state_.get());
}

void running_checksum::add(std::span<const std::byte> bytes) noexcept {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

std::uint64_t running_checksum::value() const noexcept {
  return XXH3_64bits_digest(state_.get());
}

std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

} // namespace mobula
