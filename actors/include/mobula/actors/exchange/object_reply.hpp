#pragma once

#include <cstdint>
#include <optional>

#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
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

/// Decodes metadata; once, if the same bytes come several times in a row.
class metadata_reader {
public:
  [[nodiscard]] const decoded<metadata>& read(const carried_bytes& bytes);

private:
  carried_bytes last_;
  std::optional<decoded<metadata>> decoded_;
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

/// What a borrower has to do after it has applied a reply.
enum class reply_result : std::uint8_t {
  settled,  ///< nobody waits for more
  stale,    ///< the value is not where the owner said: request it in another form
  to_pull,  ///< the bytes are to be pulled
  deferred, ///< request it again
};

/// Applies its owner's reply to the borrowed entry behind `entry`. A malformed reply makes it an
/// error. REQUIRES: called by the cluster actor.
[[nodiscard]] reply_result apply_reply(const object_handle& entry, object_reply& reply,
                                       metadata_reader& reader);

/// Returns the copy that an entry's bytes are pulled into; what belongs to the value is there. Its
/// shard gives it memory. REQUIRES: `apply_reply` said `to_pull`.
[[nodiscard]] copy_pointer copy_to_pull(object_entry& entry, const object_reply& reply,
                                        metadata_reader& reader);

/// A value that comes along with a reference to its object.
struct carried_value {
  carried_bytes metadata; ///< encoded metadata
  carried_bytes data;
};

/// Returns what may come along with a reference to `entry`: its value, if that is in the process
/// heap, has at most `max_bytes` and refers to nothing. Any thread. REQUIRES: the caller owns a
/// handle.
[[nodiscard]] std::optional<carried_value> carry_value(object_entry& entry,
                                                       std::uint64_t max_bytes);

/// Seals a pending borrowed entry with a value that came along. Ignores one that does not fit: it
/// is not the owner's word. Any thread. REQUIRES: the caller owns a handle.
void take_carried(object_entry& entry, carried_value& value);

/// Seals a pending borrowed entry with the value that its owner has in its arena, without asking
/// the owner, and returns true; changes nothing if it is not found there, or refers to other
/// objects, of which the owner must know that they are seen. Any thread. REQUIRES: the caller owns
/// a handle.
[[nodiscard]] bool find_in_place(object_entry& entry);

/// The owner of a borrowed object can not be asked again: whoever waits gets `reason`, unless the
/// value can be read in the owner's arena all the same. REQUIRES: called by the cluster actor.
void end_waiting(object_entry& entry, error_info reason);

} // namespace mobula
