#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace mobula {

/// The bytes from `begin` to before `end`.
struct byte_range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const noexcept {
    return end - begin;
  }

  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// Says which bytes of an object are there: disjoint ranges in order, with a gap between any two.
/// Bytes arrive in order but for the few asks under way, so that there are hardly more ranges than
/// asks; a bitmap of chunks would tie both sides of a transfer to one chunk size.
class byte_ranges {
public:
  byte_ranges() = default;

  /// The whole of an object.
  explicit byte_ranges(std::uint64_t size_bytes) {
    add({0, size_bytes});
  }

  /// Adds bytes; those that are there already stay.
  void add(byte_range range);

  void add(const byte_ranges& others);

  /// Removes bytes; those that are not there are ignored.
  void remove(byte_range range);

  /// Returns the bytes there from `offset` on, up to the first missing one.
  [[nodiscard]] byte_range present_from(std::uint64_t offset) const;

  /// Returns the first missing bytes of the first `size_bytes`; an empty range at the end when none
  /// are missing.
  [[nodiscard]] byte_range first_gap(std::uint64_t size_bytes) const;

  /// Sum of all ranges.
  [[nodiscard]] std::uint64_t total_bytes() const noexcept {
    return total_bytes_;
  }

  [[nodiscard]] std::size_t pieces() const noexcept {
    return ends_.size();
  }

  friend bool operator==(const byte_ranges&, const byte_ranges&) = default;

private:
  std::map<std::uint64_t, std::uint64_t> ends_; ///< by begin
  std::uint64_t total_bytes_ = 0;               ///< raised by `add`, lowered by `remove`
};

} // namespace mobula
