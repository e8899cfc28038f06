// Names the types of all messages about references and values that nodes send each other: the names
// are part of the protocol.

#include "mobula/actors/wire/peer_messages.hpp"

#include "mobula/actors/caf/message_registry.hpp"

namespace mobula {

void add_peer_messages(caf::actor_system_config& config) {
  add_messages<borrow_references, references_confirmed, transits_ended, return_references,
               pass_barrier, barrier_passed, request_objects, object_replies, objects_unpinned,
               report_copies, keep_objects, objects_kept, free_objects>(config);
}

} // namespace mobula
