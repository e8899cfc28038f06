#pragma once

#include <cstdint>
#include <optional>

#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

/// Decodes metadata; once, if the same bytes come several times in a row.
class metadata_reader {
public:
  [[nodiscard]] const decoded<metadata>& read(const carried_bytes& bytes);

private:
  carried_bytes last_;
  std::optional<decoded<metadata>> decoded_;
};

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

/// The owner of a borrowed object can not be asked again: whoever waits gets `reason`, unless the
/// value can be read in the owner's arena all the same. REQUIRES: called by the cluster actor.
void end_waiting(object_entry& entry, error_info reason);

} // namespace mobula
