// Tells which actors nothing can be sent to any more.

#include "mobula/actors/caf/sending.hpp"

#include <caf/abstract_actor.hpp>

namespace mobula {

bool has_ended(const caf::strong_actor_ptr& actor) {
  return actor->get()->getf(caf::abstract_actor::is_cleaned_up_flag);
}

} // namespace mobula
