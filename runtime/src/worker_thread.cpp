#include "mobula/runtime/worker_thread.hpp"

#include <caf/thread_hook.hpp>

namespace mobula {

namespace {

thread_local bool is_worker = false;

class worker_mark : public caf::thread_hook {
public:
  void init(caf::actor_system&) override {
    // nop
  }

  void thread_started() override {
    is_worker = true;
  }

  void thread_terminates() override {
    // nop
  }
};

} // namespace

bool on_worker_thread() noexcept {
  return is_worker;
}

void mark_worker_threads(caf::actor_system_config& config) {
  config.add_thread_hook<worker_mark>();
}

} // namespace mobula
