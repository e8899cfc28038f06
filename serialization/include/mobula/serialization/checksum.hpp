#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

/// The checksum of all that Mobula writes or sends: XXH3-64 with seed 0, computed with the widest
/// vectors that the processor has.

struct XXH3_state_s;

namespace mobula {

/// Returns XXH3-64 (seed 0) of the bytes.
[[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept;

/// `checksum_of` bytes that come piece by piece. One thread at a time.
class running_checksum {
public:
  /// Begins with no bytes. Throws `std::bad_alloc`.
  running_checksum();

  /// Forgets all bytes.
  void reset() noexcept;

  void add(std::span<const std::byte> bytes) noexcept;

  /// Returns the checksum of all bytes since the last reset.
  [[nodiscard]] std::uint64_t value() const noexcept;

private:
  struct state_deleter {
    void operator()(XXH3_state_s* state) const noexcept;
  };

  std::unique_ptr<XXH3_state_s, state_deleter> state_;
};

} // namespace mobula
