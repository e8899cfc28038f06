// The life of a node's services: how they are counted, what becomes of the node when one dies, and
// how all of them stop. Which there are is in launch/.
//
// *Order.* Kinds of services stop one after the other, each when the former is gone: what that had
// to tell others is in their mailboxes by then. The thread that shuts the node down tells each
// kind, and no service tells the next one, so that one that has died holds nobody up.
//
// *Bound.* A kind that does not stop within `step_limit` is left behind, with a line in the log: a
// disk may hang, and so may what an application runs in an actor. What is left behind ends with the
// actor system, or with what holds it up.
//
// *Death.* A service that ends before it is told to takes the node with it. Others depend on it,
// and nothing says what it left half done; so readers and writers get an error at once instead of
// waiting for what never comes, and other nodes are told that this one is gone.

#include "mobula/actors/node/service_life.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/caf/simulated_wait.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"
#include "mobula/actors/time/deadline_queue.hpp"

namespace mobula {

namespace {

/// Long enough for a slow disk to remove its files.
constexpr std::chrono::seconds step_limit{10};

std::size_t index_of(service_kind kind) noexcept {
  return static_cast<std::size_t>(kind);
}

std::string text_of(const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

} // namespace

// -- kinds ----------------------------------------------------------------------------------------

std::string_view to_string(service_kind kind) noexcept {
  switch (kind) {
    case service_kind::cluster:
      return "cluster actor";
    case service_kind::transfers:
      return "transfers";
    case service_kind::counter:
      return "reference counter";
    case service_kind::owner:
      return "owner";
    case service_kind::heap_keeper:
      return "heap keeper";
    case service_kind::shard:
      return "store shard";
    case service_kind::spill_manager:
      return "spill manager";
    case service_kind::spill_worker:
      return "spill worker";
    case service_kind::filler:
      return "arena filler";
  }
  return "unknown service";
}

void guard_service(caf::scheduled_actor& self, service_life& node, service_kind kind) {
  self.set_exception_handler([&node, kind](std::exception_ptr& reason) -> caf::error {
    node.note_exception(kind, text_of(reason));
    return caf::exit_reason::unhandled_exception;
  });
  // By default, both end an actor, whoever sends them.
  self.set_error_handler([kind](caf::error& stray) {
    log_warning(fmt::format("the {} ignores an error that was sent to it: {}", to_string(kind),
                            to_error_info(stray).message));
  });
  self.set_exit_handler([kind](caf::exit_msg& stray) {
    log_warning(fmt::format("the {} ignores a demand to exit: {}", to_string(kind),
                            to_error_info(stray.reason).message));
  });
}

// -- start ----------------------------------------------------------------------------------------

void service_life::service_started(service_kind kind) noexcept {
  std::unique_lock guard{services_mutex_};
  ++running_[index_of(kind)];
}

void service_life::service_not_started(service_kind kind) noexcept {
  std::unique_lock guard{services_mutex_};
  --running_[index_of(kind)];
}

void service_life::spill_worker_started(caf::strong_actor_ptr worker) {
  std::unique_lock guard{services_mutex_};
  spill_workers_.push_back(std::move(worker));
}

void service_life::start_cluster(const cluster_spawners& spawn) {
  std::unique_lock guard{services_mutex_};
  // Shutdown looks for the actor under the same mutex, after it has set this.
  if (closing()) {
    guard.unlock();
    throw object_error{shutting_down_error()};
  }
  if (in_cluster())
    return;
  // Counted when there is something to wait for; what ends at once is told under the mutex, later.
  auto& services = services_to_launch();
  if (!services.transfers) {
    services.transfers = spawn.transfers();
    ++running_[index_of(service_kind::transfers)];
  }
  services.cluster = spawn.cluster();
  ++running_[index_of(service_kind::cluster)];
  gateway().open();
  spawn.enlist();
  in_cluster_.store(true, std::memory_order_release);
}

void service_life::set_port_closer(std::function<void(port_closing)> close) {
  {
    std::unique_lock guard{services_mutex_};
    port_closer_ = std::move(close);
  }
  // A service may have died since the port was opened, or a thread has begun to shut down, and
  // found no port.
  if (closing())
    begin_closing_port();
}

void service_life::begin_closing_port() {
  std::unique_lock guard{services_mutex_};
  auto close = port_closer_;
  guard.unlock();
  if (close)
    close(port_closing::begun);
}

void service_life::close_port() {
  std::unique_lock guard{services_mutex_};
  auto close = std::exchange(port_closer_, nullptr);
  guard.unlock();
  if (close)
    close(port_closing::done);
}

// -- answers --------------------------------------------------------------------------------------

bool service_life::await_answer(const std::function<bool()>& is_there,
                                std::chrono::nanoseconds limit) {
  auto is_over = [&] {
    return is_there() || services_gone();
  };
  auto due = deadline_after(now(), limit);
  std::unique_lock guard{services_mutex_};
  if (due == caf_clock::time_point::max())
    services_changed_.wait(guard, is_over);
  else
    static_cast<void>(services_changed_.wait_until(guard, due, is_over));
  return is_there();
}

void service_life::answer_given() noexcept {
  std::unique_lock guard{services_mutex_};
  services_changed_.notify_all();
}

// -- death ----------------------------------------------------------------------------------------

void service_life::note_exception(service_kind kind, const std::string& text) {
  std::unique_lock guard{services_mutex_};
  if (failure_.empty())
    failure_ = fmt::format("its {} ended by an exception: {}", to_string(kind), text);
}

void service_life::service_stopped(service_kind kind) noexcept {
  {
    std::unique_lock guard{services_mutex_};
    --running_[index_of(kind)];
    services_changed_.notify_all();
  }
  // Closing is for good, while a shutdown that threw stops no more: but it has told some to stop.
  if (!closing_begun() && !failed_.exchange(true))
    fail(kind);
}

/// All that wait for this node get an error, here and elsewhere. Nothing is waited for: that is for
/// who shuts the node down.
void service_life::fail(service_kind kind) {
  {
    std::unique_lock guard{services_mutex_};
    if (failure_.empty())
      failure_ = fmt::format("its {} ended before it was told to", to_string(kind));
  }
  log_warning(shutting_down_error().message);
  begin_closing();
  refuse_readers();
  // A caller that joins from here on would wait for an answer of actors that are gone.
  begin_closing_port();
  for (auto each : {service_kind::cluster, service_kind::transfers, service_kind::counter,
                    service_kind::owner, service_kind::heap_keeper, service_kind::shard})
    tell_to_stop(each);
}

std::string service_life::failure() const {
  std::unique_lock guard{services_mutex_};
  return failure_;
}

error_info service_life::shutting_down_error() const {
  if (!at_home())
    return {.type = error_type::invalid_argument,
            .message = fmt::format("node {} belongs to the process that this one was forked of, "
                                   "and cannot be used here; start a node after the fork, or have "
                                   "the child execute another program",
                                   to_string(incarnation())),
            .origin = origin()};
  if (failed_.load())
    return {.type = error_type::node_died,
            .message = fmt::format("node {} has failed, since {}; shut it down and start another",
                                   to_string(incarnation()), failure()),
            .origin = origin()};
  return {.type = error_type::shutting_down,
          .message = fmt::format("node {} has shut down, or is about to: it takes no more values "
                                 "and gives none; start another node",
                                 to_string(incarnation())),
          .origin = origin()};
}

// -- shutdown -------------------------------------------------------------------------------------

void service_life::shut_down() {
  // The services of a forked child are its parent's.
  if (!at_home())
    return;
  begin_closing();
  while (stopping_.exchange(true))
    if (await_end())
      return;
  try {
    stop_services();
  } catch (...) {
    // The rest is for the next one, which may be waiting.
    std::unique_lock guard{services_mutex_};
    stopping_.store(false);
    services_changed_.notify_all();
    throw;
  }
}

void service_life::stop_services() {
  refuse_readers();
  close_port();
  // It fills the arena on its own, and would go on doing so meanwhile.
  tell_to_stop(service_kind::filler);
  for (std::size_t index = 0; index < service_kinds; ++index)
    stop(service_kind{static_cast<std::uint8_t>(index)});
  end_services();
}

void service_life::stop(service_kind kind) {
  if (kind != service_kind::filler)
    tell_to_stop(kind);
  if (!await_stopped(kind))
    log_warning(system(),
                fmt::format("node {} shuts down without its {}, which did not stop "
                            "within {} s",
                            to_string(incarnation()), to_string(kind), step_limit.count()));
}

void service_life::tell_to_stop(service_kind kind) {
  auto tell = [](const auto& service) {
    if (service)
      caf::anon_send(service, mobula::shut_down{});
  };
  std::unique_lock guard{services_mutex_};
  switch (kind) {
    case service_kind::cluster:
      return tell(cluster());
    case service_kind::transfers:
      return tell(transfers());
    case service_kind::counter:
      return tell(counter());
    case service_kind::owner:
      return tell(owner());
    case service_kind::heap_keeper:
      return tell(heap_keeper());
    case service_kind::shard:
      std::ranges::for_each(shards(), tell);
      return;
    case service_kind::spill_manager:
      return tell(spill_manager());
    case service_kind::spill_worker:
      for (const auto& worker : spill_workers_)
        send_to(worker, mobula::shut_down{});
      return;
    case service_kind::filler:
      return tell(services_to_launch().filler);
  }
}

/// Returns whether all services of this kind are gone, after `step_limit` at most.
bool service_life::await_stopped(service_kind kind) {
  auto deadline = now() + step_limit;
  if (simulation() != nullptr) {
    auto stopped = [&] {
      std::unique_lock guard{services_mutex_};
      return running_[index_of(kind)] == 0;
    };
    return simulate_until(*simulation(), stopped, deadline) == simulated_end::done;
  }
  std::unique_lock guard{services_mutex_};
  return services_changed_.wait_until(guard, deadline,
                                      [&] { return running_[index_of(kind)] == 0; });
}

void service_life::end_services() {
  // The actor system ends when all actors with threads of their own are gone: what keeps this core,
  // such as a reference that somebody still has, must not keep these.
  std::vector<caf::strong_actor_ptr> workers;
  arena_filler_actor filler;
  std::unique_lock guard{services_mutex_};
  // Before `shutdown` may return: it promises that no file is left. Views go on reading the memory.
  withdraw_arena();
  workers.swap(spill_workers_);
  uses().services_ended();
  services_changed_.notify_all();
  // The actor system may go when this returns, but a thread that is about to send needs it still.
  if (simulation() == nullptr)
    services_changed_.wait_until(guard, now() + step_limit, [this] { return !uses().in_use(); });
  filler_left_ = uses().in_use();
  if (!filler_left_)
    filler = std::exchange(services_to_launch().filler, {});
}

/// Another thread shuts the node down, which ends; in a simulation, an actor that does so waits for
/// this one to return. Returns false if that has thrown on its way instead.
bool service_life::await_end() {
  if (simulation() != nullptr) {
    while (!services_gone() && stopping_.load() && run_first_job(*simulation()))
      ;
    return stopping_.load();
  }
  std::unique_lock guard{services_mutex_};
  auto done = false;
  services_changed_.wait(guard, [&] {
    done = services_gone() && !uses().in_use();
    return done || !stopping_.load();
  });
  return done;
}

} // namespace mobula
