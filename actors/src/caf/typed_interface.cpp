// What CAF's headers would have every source of a program compile for itself.

#include "mobula/actors/caf/typed_interface.hpp"

template void caf::anon_send_exit(const caf::strong_actor_ptr&, caf::exit_reason);
