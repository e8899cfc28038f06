#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <caf/sec.hpp>

#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/actors/caf/serializer_position.hpp"
#include "mobula/actors/objects/object_entry.hpp"

namespace mobula {

/// Bytes inside of a message to another node: an object's own, which are pinned until they are
/// written and so copied once on each side, or encoded ones. Shared, since CAF wants messages that
/// can be copied; only the receiver takes them out.
class carried_bytes {
public:
  /// A message holds no more: CAF counts its bytes with 32 bits.
  static constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30U;

  carried_bytes() noexcept = default;

  explicit carried_bytes(pinned_value pin);

  explicit carried_bytes(std::vector<std::byte> encoded);

  /// Makes space for bytes that come in. Throws `std::bad_alloc`.
  static carried_bytes incoming(std::size_t size);

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept;

  /// Returns whether these are the other's bytes, and not only equal ones. Nothing shares nothing.
  [[nodiscard]] bool shares(const carried_bytes& other) const noexcept {
    return content_ != nullptr && content_ == other.content_;
  }

  /// Returns memory with these bytes: what they came in if nobody took it before, else a copy.
  [[nodiscard]] std::unique_ptr<std::byte[]> take();

  template <class Inspector>
  friend inspection_result<Inspector> inspect(Inspector& f, carried_bytes& x) {
    std::uint64_t size = x.bytes().size();
    if constexpr (!byte_inspector<Inspector>) {
      return show_fields(f, "mobula::carried_bytes", size);
    } else {
      if (auto error = f(size))
        return error;
      if constexpr (loading_inspector<Inspector>) {
        // Before there is memory for it: who writes a size need not have written bytes.
        if (size > max_bytes)
          return caf::sec::invalid_argument;
        if (auto left = bytes_left(f); left && size > *left)
          return caf::sec::end_of_stream;
        x = incoming(static_cast<std::size_t>(size));
      }
      return size > 0 ? apply_bytes(f, x.bytes().size(), const_cast<std::byte*>(x.bytes().data()))
                      : caf::error{};
    }
  }

private:
  struct content {
    pinned_value pin;
    std::vector<std::byte> encoded;
    std::unique_ptr<std::byte[]> incoming;
    std::span<const std::byte> bytes;
  };

  std::shared_ptr<content> content_;
};

} // namespace mobula
