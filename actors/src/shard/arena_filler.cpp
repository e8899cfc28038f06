// The actor that commits pages of the arena ahead of need, in a thread of low priority and in small
// steps, so that puts find memory ready and never wait long behind it.

#include "mobula/actors/shard/arena_filler.hpp"

#include <sys/resource.h>

#include "mobula/actors/messages/filler_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/node/node_core.hpp"

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

class arena_filler_state {
public:
  using self_pointer = arena_filler_actor::pointer;

  arena_filler_state() = default;

  ~arena_filler_state() {
    if (core_)
      core_->service_stopped(service_kind::filler);
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    guard_service(*self, core, service_kind::filler);
  }

  void fill() {
    if (!std::exchange(prepared_, true))
      take_low_priority();
    core_->fill_begins();
    // A message for each step: the end of the node comes in between.
    if (core_->heap().fill(core_->stock(), step_bytes))
      core_->request_fill();
  }

  void stop() {
    self_->quit();
  }

private:
  core_pointer core_;
  self_pointer self_ = nullptr;
  bool prepared_ = false;
};

arena_filler_actor::behavior_type
arena_filler(arena_filler_actor::stateful_pointer<arena_filler_state> self, node_core* core) {
  auto& state = self->state;
  state.init(*core, self);
  return {
    [&state](fill_stock) { state.fill(); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

arena_filler_actor spawn_arena_filler(node_core& core) {
  return core.start_counted(service_kind::filler, [&] {
    return core.system().spawn<caf::hidden + caf::detached>(arena_filler, &core);
  });
}

} // namespace mobula
