#include "mobula/actors/name_messages.hpp"

namespace mobula {

void add_name_messages(caf::actor_system_config& config) {
  config.add_message_type<names_changed>("mobula::names_changed");
  config.add_message_type<find_name>("mobula::find_name");
  config.add_message_type<name_found>("mobula::name_found");
}

} // namespace mobula
