#pragma once

#include <caf/replies_to.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "mobula/actors/caf/caf_version.hpp"

/// What the handlers of an actor with a static type are declared as, in `caf::typed_actor<...>`.

namespace mobula {

/// An actor's handler that takes a `T` and answers nothing.
template <class T>
using takes = caf::reacts_to<T>;

/// An actor's handler that takes a `Question` and answers with an `Answer`.
template <class Question, class Answer>
using answers = typename caf::replies_to<Question>::template with<Answer>;

} // namespace mobula

// CAF's headers call this function, so that each source would compile it, and with it all that CAF
// can do to an exit message. The library has it.
extern template void caf::anon_send_exit(const caf::strong_actor_ptr&, caf::exit_reason);
