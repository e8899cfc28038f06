// The actor that commits pages of the arena ahead of need, in a thread of low priority and in small
// steps, so that puts find memory ready and never wait long behind it.

#include "mobula/actors/shard/arena_filler.hpp"

#include <sys/resource.h>

#include "mobula/actors/messages/filler_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"

namespace mobula {

namespace {

/// A step takes less than a millisecond: creators that commit memory themselves wait for it, since
/// the kernel does so for one thread at a time in one file.
constexpr std::uint64_t step_bytes = 1ULL << 20U;

/// Low, but no idle class: a thread that hardly ever runs would hold up whoever waits for its step.
constexpr int low_priority = 10;

/// Lowers the priority of the calling thread alone (Linux counts threads as processes here).
void take_low_priority() {
  ::setpriority(PRIO_PROCESS, 0, low_priority);
}

/// Counts no messages: how many steps it takes is up to the kernel.
class arena_filler_state : public service_state<arena_filler_actor, service_kind::filler> {
public:
  void init() {
    // nop
  }

  behavior_type handlers() {
    return {uncounted<&arena_filler_state::fill>(), uncounted<&arena_filler_state::stop>()};
  }

  void fill(fill_stock) {
    if (!std::exchange(prepared_, true))
      take_low_priority();
    core_->fill_begins();
    // A message for each step: the end of the node comes in between.
    if (core_->heap().fill(stock_of_heap(core_->options()), step_bytes))
      core_->request_fill();
  }

private:
  bool prepared_ = false;
};

} // namespace

arena_filler_actor spawn_arena_filler(node_core& core) {
  return start_service<arena_filler_state, caf::hidden + caf::detached>(core);
}

} // namespace mobula
