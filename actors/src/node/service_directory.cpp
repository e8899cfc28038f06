// The end of a use of the services: who waits for it is told, and what was left to it is taken
// back.

#include "mobula/actors/node/service_directory.hpp"

#include <unistd.h>

namespace mobula {

error_origin service_directory::origin() const {
  return {.task = {}, .node = to_string(incarnation()), .process = ::getpid()};
}

void service_directory::end_use() noexcept {
  switch (uses_.end_use()) {
    case service_uses::end::counted:
      return;
    case service_uses::end::last:
      delete this;
      return;
    case service_uses::end::announced:
      break;
  }
  {
    // Goes after the mutex: what it was the last handle on ends with it.
    arena_filler_actor filler;
    std::unique_lock guard{services_mutex_};
    uses_.end_announced();
    if (filler_left_ && !uses_.in_use())
      filler = std::exchange(services_.filler, {});
    services_changed_.notify_all();
  }
  drop_ref();
}

} // namespace mobula
