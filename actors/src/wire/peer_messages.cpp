// Names the types of all messages about references and values that nodes send each other: the names
// are part of the protocol.

#include "mobula/actors/wire/peer_messages.hpp"

namespace mobula {

void add_peer_messages(caf::actor_system_config& config) {
  config.add_message_type<borrow_references>("mobula::borrow_references");
  config.add_message_type<references_confirmed>("mobula::references_confirmed");
  config.add_message_type<transits_ended>("mobula::transits_ended");
  config.add_message_type<return_references>("mobula::return_references");
  config.add_message_type<pass_barrier>("mobula::pass_barrier");
  config.add_message_type<barrier_passed>("mobula::barrier_passed");
  config.add_message_type<request_objects>("mobula::request_objects");
  config.add_message_type<object_replies>("mobula::object_replies");
  config.add_message_type<objects_unpinned>("mobula::objects_unpinned");
  config.add_message_type<report_copies>("mobula::report_copies");
  config.add_message_type<keep_objects>("mobula::keep_objects");
  config.add_message_type<objects_kept>("mobula::objects_kept");
  config.add_message_type<free_objects>("mobula::free_objects");
}

} // namespace mobula
