#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mobula/actors/protocol/membership/member_messages.hpp"

/// What is looked at in each message about membership before it reaches a table, whose invariants
/// another node could break otherwise: it may be of a version with a defect, or no node at all.
/// Nodes of one cluster trust each other's words, so nothing here asks whether what is said is
/// true; only whether it can be.

namespace mobula {

/// Larger than anything that a node says of itself.
struct member_limits {
  static constexpr std::size_t address_bytes = 255; ///< as DNS has it
  static constexpr std::size_t name_bytes = 512;    ///< a host's name and a number
  static constexpr std::size_t boot_id_bytes = 128;
  static constexpr std::size_t path_bytes = 4'096;
  static constexpr std::size_t endpoints = 64; ///< of one node
  static constexpr std::size_t nodes = 65'536; ///< named in one message
  static constexpr std::size_t text_bytes = 1'024;
  /// Nodes go on counting from what others say of sessions, but from no larger number than this.
  static constexpr std::uint64_t max_followed_session = std::uint64_t{1} << 63U;
  /// Sessions are counted one by one, so nobody has got this far beyond what is followed.
  static constexpr std::uint64_t max_session = max_followed_session + (std::uint64_t{1} << 62U);
};

/// Returns what is wrong with a message, in words for a log and for the people on the other side;
/// nothing if it can be passed on. A greeting's record says something only among nodes that speak
/// alike: REQUIRES that for a `hello`.
[[nodiscard]] std::optional<std::string> fault_of(const member_message& message);

/// Returns the name of a message, as a log has it.
[[nodiscard]] std::string_view name_of(const member_message& message) noexcept;

/// Returns `text` as it can be shown: without control characters, and not too long.
[[nodiscard]] std::string printable(std::string_view text);

/// Returns whether a text may be an address: letters, digits and signs of ASCII, and not too many.
[[nodiscard]] bool can_be_address(std::string_view text) noexcept;

} // namespace mobula
