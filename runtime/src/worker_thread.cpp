// Which thread is whose. CAF tells a hook of each thread that it starts, but not what for: a thread
// of the pool, of a detached actor, of the network. The scheduler is asked for those of its pool
// when somebody is about to wait.

#include "mobula/runtime/worker_thread.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/thread_hook.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/pool_threads.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

namespace {

/// The actor system that started the calling thread; it outlives the thread.
thread_local caf::actor_system* system_of_thread = nullptr;

class worker_mark : public caf::thread_hook {
public:
  void init(caf::actor_system& system) override {
    system_ = &system;
  }

  void thread_started() override {
    system_of_thread = system_;
  }

  void thread_terminates() override {
    // nop
  }

private:
  caf::actor_system* system_ = nullptr;
};

} // namespace

bool on_worker_thread() noexcept {
  return system_of_thread != nullptr;
}

bool on_pool_thread() noexcept {
  return system_of_thread != nullptr && is_pool_thread(*system_of_thread);
}

void require_may_block(std::string_view what, std::string_view instead) {
  if (on_pool_thread()) [[unlikely]]
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("{} would wait on a thread that actors share, and keep it from those "
                              "it waits for; in an actor use {}, or spawn it with caf::detached",
                              what, instead)}};
}

void mark_worker_threads(caf::actor_system_config& config) {
  config.add_thread_hook<worker_mark>();
}

} // namespace mobula
