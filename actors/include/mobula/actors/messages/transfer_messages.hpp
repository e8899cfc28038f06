#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/transfer/copy_directory.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

class copy_pin;
class served_values;
class transfer_events;
class transfer_port;

/// Keeps an entry in memory, though not its object alive. Shared, since CAF wants messages that can
/// be copied; one receiver takes it out.
using shared_use = std::shared_ptr<release_token>;

/// Returns one more use of `entry`, to be sent.
[[nodiscard]] shared_use share_use(object_entry& entry);

// -- from the cluster actor -----------------------------------------------------------------------

/// A node whose values can be pulled, and that may pull from this one.
struct source_joined {
  incarnation_id node;
  data_endpoint data;
};

struct source_left {
  incarnation_id node;
};

/// The connection over which messages come from the node leads to this address: its data port is
/// the likeliest to be reached there, too.
struct source_speaks_at {
  incarnation_id node;
  std::string address;
};

/// Fetch the value of another node's object into `copy`. Ends in one `pull_ended`, unless
/// `end_pull` comes first. REQUIRES: the copy's former pull has ended.
struct pull_value {
  shared_use entry;
  copy_pointer copy;
  pull_priority priority = pull_priority::get;
  assigned_source source; ///< the owner, or a node that it named
};

/// The pull's priority is higher now.
struct raise_priority {
  pull_number number{};
  pull_priority priority = pull_priority::get;
};

/// The node lets go of the object, or will never read it: neither the pull nor the copy is needed
/// any more.
struct end_pull {
  copy_pointer copy;
  shared_use token; ///< freed when all is over; may be null
};

// -- to the cluster actor -------------------------------------------------------------------------

enum class pull_outcome : std::uint8_t {
  arrived,    ///< readers have been told
  failed,     ///< `reason` says why; a later try may succeed
  gone,       ///< not where the owner said: it is to be asked again
  unreachable ///< nobody answers at the owner's data port
};

struct pull_ended {
  shared_use entry;
  pull_outcome outcome{};
  std::optional<error_info> reason;
};

/// A copy that was pulled made space for others.
struct copy_evicted {
  object_id object;
  copy_ticket ticket{};
};

// -- from a shard ---------------------------------------------------------------------------------

/// Why a pull gets no buffer.
struct buffer_refusal {
  refusal reason{};
  error_info error; ///< what a reader of the object is told if it has to do without
};

/// Answers `reserve_pull_buffer`. Without a refusal the copy has memory.
struct pull_buffer_answered {
  pull_number number{};
  std::optional<buffer_refusal> refused;
};

/// Answers `seal_pulled`, before anybody else is told; and `reserve_pull_buffer`, if the copy is
/// whole. It stays where it is while the pin lives: others may be reading from it.
struct pull_sealed {
  pull_number number{};
  std::shared_ptr<copy_pin> pin;
};

// -- the actor's own ------------------------------------------------------------------------------

/// The node has a port: transfers may begin. The values are its source, the messenger gets its
/// events; both live as long as it.
struct begin_transfers {
  std::shared_ptr<served_values> values;
  std::shared_ptr<transfer_events> events;
  std::shared_ptr<transfer_port> port;
};

/// Nobody else reads from the buffer of this pull any more.
struct buffer_let_go {
  pull_number number{};
};

/// An object that others ask for may be in memory by now.
struct served_ready {
  object_id id;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::source_joined)
MOBULA_LOCAL_MESSAGE(mobula::source_left)
MOBULA_LOCAL_MESSAGE(mobula::source_speaks_at)
MOBULA_LOCAL_MESSAGE(mobula::pull_value)
MOBULA_LOCAL_MESSAGE(mobula::raise_priority)
MOBULA_LOCAL_MESSAGE(mobula::end_pull)
MOBULA_LOCAL_MESSAGE(mobula::pull_ended)
MOBULA_LOCAL_MESSAGE(mobula::pull_buffer_answered)
MOBULA_LOCAL_MESSAGE(mobula::copy_evicted)
MOBULA_LOCAL_MESSAGE(mobula::pull_sealed)
MOBULA_LOCAL_MESSAGE(mobula::buffer_let_go)
MOBULA_LOCAL_MESSAGE(mobula::begin_transfers)
MOBULA_LOCAL_MESSAGE(mobula::served_ready)
