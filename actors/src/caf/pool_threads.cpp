// Looks for the calling thread among those of CAF's schedulers.

#include "mobula/actors/caf/pool_threads.hpp"

#include <cstddef>
#include <thread>

#include <caf/actor_system.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/policy/work_stealing.hpp>
#include <caf/scheduler.hpp>
#include <caf/scheduler/coordinator.hpp>

namespace mobula {

namespace {

/// Looks among the threads of a pool with this policy; finds nothing in one with another.
template <class Policy>
bool runs_calling_thread(caf::scheduler::abstract_coordinator& scheduler) {
  auto* pool = dynamic_cast<caf::scheduler::coordinator<Policy>*>(&scheduler);
  if (pool == nullptr)
    return false;
  for (std::size_t index = 0; index < pool->num_workers(); ++index)
    if (pool->worker_by_id(index)->get_thread().get_id() == std::this_thread::get_id())
      return true;
  return false;
}

} // namespace

bool is_pool_thread(caf::actor_system& system) {
  auto& scheduler = system.scheduler();
  return runs_calling_thread<caf::policy::work_sharing>(scheduler)
         || runs_calling_thread<caf::policy::work_stealing>(scheduler);
}

} // namespace mobula
