#pragma once

#include <cstdint>

#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

/// Encodes metadata of values. Small values come in numbers, and mostly with the same metadata:
/// these share what was encoded once.
class metadata_writer {
public:
  /// Returns the metadata of a value of so many bytes, which need not be in memory. Throws
  /// `codec_error` for what metadata cannot say.
  [[nodiscard]] carried_bytes write(const object_value& value, std::size_t size_bytes);

private:
  const type_descriptor* type_ = nullptr;
  std::size_t size_ = 0;
  carried_bytes written_;
};

/// The reply with the value that `pin` pins, whatever its size, which the caller compares with what
/// a message may have.
[[nodiscard]] object_reply reply_with_value(std::uint64_t sequence, pinned_value pin,
                                            metadata_writer& writer);

/// The reply to a node that can read the value where it is. REQUIRES: the value is stored.
[[nodiscard]] object_reply reply_with_place(std::uint64_t sequence, const pinned_value& pin);

/// The reply to a node that will pull the value, of so many bytes, which may be on disk. REQUIRES:
/// the caller owns a handle or a pin.
[[nodiscard]] object_reply reply_with_description(std::uint64_t sequence, const object_value& value,
                                                  std::size_t size_bytes, metadata_writer& writer);

/// The reply for an object that has `reason` in place of a value, for now (`refused`) or for good
/// (`failed`).
[[nodiscard]] object_reply reply_with_error(std::uint64_t sequence, reply_outcome outcome,
                                            const error_info& reason);

} // namespace mobula
