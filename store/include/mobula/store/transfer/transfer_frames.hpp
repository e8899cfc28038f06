#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "mobula/serialization/decoded.hpp"
#include "mobula/serialization/ids.hpp"

/// What two nodes say on a connection of the data port (docs/formats.md, "Data port").
///
/// The idea: every frame is a header of one fixed size, and only a chunk is followed by more: as
/// many bytes as its header says. So a reader always knows how many bytes to read next, never
/// scans, and allocates nothing before it has checked what it is told; the bytes of a chunk go from
/// the socket straight to where they stay. Seventy-two bytes for a request of a few MiB cost
/// nothing, which is why there are no shorter headers.
///
/// Each header carries a checksum of its own, so that a length is believed only if no bit of it has
/// changed. It guards against damage; the token of the greeting guards against strangers.

namespace mobula {

/// Names an ask for bytes within the life of the connection's node; drawn by the one who asks.
enum class ask_number : std::uint64_t {};

/// Proves that a connection comes from a node that the control connection has let in.
struct transfer_token {
  std::array<std::byte, 16> bytes{};

  friend bool operator==(const transfer_token&, const transfer_token&) = default;
};

/// Compares in a time that does not depend on the bytes, which a stranger could measure.
[[nodiscard]] bool same_token(const transfer_token& left, const transfer_token& right) noexcept;

/// Bounds of what a frame may state, the same for encoder and decoder.
struct frame_limits {
  /// Bytes of an object that one chunk carries.
  static constexpr std::uint64_t chunk_bytes = std::uint64_t{16} << 20;
  /// Size of an object, so that no sum of an offset and a length overflows.
  static constexpr std::uint64_t object_bytes = std::uint64_t{1} << 62;
};

/// Size of every header.
inline constexpr std::size_t frame_bytes = 72;

/// Why a node does not send what it was asked for.
enum class refusal_reason : std::uint16_t {
  not_here = 1,     ///< it has no copy, or no longer
  busy = 2,         ///< as many as it takes are reading; another copy, or later
  out_of_range = 3, ///< its copy ends earlier
  unreadable = 4,   ///< its copy is on a disk that fails
  shutting_down = 5
};

[[nodiscard]] std::string_view to_string(refusal_reason reason) noexcept;

/// The bytes of an object from `offset_bytes` on.
struct object_range {
  object_id id;
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;

  friend bool operator==(const object_range&, const object_range&) = default;
};

// -- frames ---------------------------------------------------------------------

/// The first frame of each side. The accepting side answers only a greeting that it believes.
struct hello_frame {
  transfer_token token;
  incarnation_id sender;
  incarnation_id receiver;

  friend bool operator==(const hello_frame&, const hello_frame&) = default;
};

/// Asks for bytes. Answered by chunks that cover the range in ascending order, or by some of these
/// and one refusal; not at all after a `cancel_frame`.
struct request_frame {
  ask_number ask{};
  object_range range;

  friend bool operator==(const request_frame&, const request_frame&) = default;
};

enum class chunk_encoding : std::uint8_t {
  plain = 0,
  zstd = 1 ///< one zstd frame, shorter than what it holds
};

/// Goes before `wire_bytes` bytes of payload.
struct chunk_frame {
  ask_number ask{};
  object_range range;
  chunk_encoding encoding = chunk_encoding::plain;
  std::uint32_t wire_bytes = 0;
  std::uint64_t checksum = 0; ///< `checksum_of` the payload as it is on the wire

  friend bool operator==(const chunk_frame&, const chunk_frame&) = default;
};

struct refusal_frame {
  ask_number ask{};
  refusal_reason reason = refusal_reason::not_here;

  friend bool operator==(const refusal_frame&, const refusal_frame&) = default;
};

/// The answer is no longer needed. Chunks on their way come all the same.
struct cancel_frame {
  ask_number ask{};

  friend bool operator==(const cancel_frame&, const cancel_frame&) = default;
};

using transfer_frame =
  std::variant<hello_frame, request_frame, chunk_frame, refusal_frame, cancel_frame>;

using frame_header = std::array<std::byte, frame_bytes>;

/// REQUIRES: the frame lies within `frame_limits`, and a plain chunk is as long as its payload.
[[nodiscard]] frame_header encode(const transfer_frame& frame);

/// Inverse of `encode`. Never throws on any bytes (short of having no memory), and refuses those
/// in which any bit has changed since.
[[nodiscard]] decoded<transfer_frame> decode_frame(std::span<const std::byte, frame_bytes> bytes);

} // namespace mobula
