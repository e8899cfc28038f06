#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/actors/spill/spill_manager.hpp"
#include "mobula/actors/transfer/served_values.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/transfer/copy_directory.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

class copy_pin;

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

/// Answers `reserve_pull_buffer`. Without a refusal the copy has memory.
struct pull_buffer_answered {
  pull_number number{};
  std::optional<refuse_request> refusal;
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

/// Moves the bytes of stored values between nodes that cannot read each other's arenas: owns the
/// node's data port, its puller and its pusher. An actor of its own, and not a part of the cluster
/// actor, since a port tells of each chunk, and what nodes say on references should not wait behind
/// that. The order between the two does not matter: an object that is pulled is held by its reader,
/// so that its owner keeps it until the reader, which knows of the end, lets go.
using transfers_actor = caf::typed_actor<
  takes<begin_transfers>, takes<source_joined>, takes<source_left>, takes<source_speaks_at>,
  takes<pull_value>, takes<raise_priority>, takes<end_pull>, takes<pull_buffer_answered>,
  takes<pull_sealed>, takes<buffer_let_go>, takes<port_event>, takes<served_ready>,
  takes<record_found>, takes<collect_stats>, takes<check_tables>, takes<shut_down>>;

class node_core;

/// Starts the transfers of `core`. REQUIRES: the reference counter runs.
transfers_actor spawn_transfers(node_core& core);

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
