#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "mobula/actors/node/service_directory.hpp"
#include "mobula/actors/node/service_kind.hpp"

namespace mobula {

/// What is to have happened when a call that closes the node's port returns.
enum class port_closing : std::uint8_t { begun, done };

/// What spawns the actors that speak with other nodes.
struct cluster_spawners {
  std::function<transfers_actor()> transfers;
  std::function<cluster_actor()> cluster;

  /// Called last, when references may come to the node.
  std::function<void()> enlist;
};

/// The life of a node's services: how they are counted, what becomes of the node when one dies, and
/// how all of them stop (see service_life.cpp).
class service_life : public service_directory {
public:
  [[nodiscard]] error_info shutting_down_error() const final;

  // -- the cluster --------------------------------------------------------------------------------

  /// Starts what speaks with other nodes, unless it runs (see `launch_cluster`). Throws
  /// `object_error` (`shutting_down`).
  void start_cluster(const cluster_spawners& spawn);

  /// Returns whether it was started. The acquire pairs with the release in `start_cluster`.
  [[nodiscard]] bool in_cluster() const noexcept {
    return in_cluster_.load(std::memory_order_acquire);
  }

  /// Remembers how to close the port through which other nodes come. REQUIRES: `close` waits for
  /// nothing without a limit, and for nothing at all when it is to begin only. It may be called
  /// twice, the second time to wait for what has begun.
  void set_port_closer(std::function<void(port_closing)> close);

  /// Closes that port, unless that was done before. Any thread but a service's.
  void close_port();

  // -- answers ------------------------------------------------------------------------------------

  [[nodiscard]] bool
  await_answer(const std::function<bool()>& is_there,
               std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) final;

  void answer_given() noexcept final;

  // -- called by services, of themselves ----------------------------------------------------------

  /// Counts a service that `start` spawns, before it can end. One that could not be spawned does
  /// not count: nobody would ever see it stop. Returns what `start` returns.
  template <class Start>
  auto start_counted(service_kind kind, Start start) {
    service_started(kind);
    try {
      return start();
    } catch (...) {
      service_not_started(kind);
      throw;
    }
  }

  void service_started(service_kind kind) noexcept;
  void service_not_started(service_kind kind) noexcept;

  /// Keeps a handle on a worker of the spill manager's, to tell it of the end.
  void spill_worker_started(caf::strong_actor_ptr worker);

  /// A handler threw, which ends the service.
  void note_exception(service_kind kind, const std::string& text);

  /// Whatever ended it. If nobody told it to stop, the node fails.
  void service_stopped(service_kind kind) noexcept;

  // -- shutdown -----------------------------------------------------------------------------------

  /// Ends pending gets with `shutting_down`, stops the services and waits for them, but for ever
  /// for none. May be called by several threads, any number of times; each returns when all is
  /// done. If one throws (`std::bad_alloc`, or what closing the port throws), the next goes on.
  /// Does nothing in a forked child. REQUIRES: not called from within an actor: that would wait for
  /// its own thread.
  void shut_down();

protected:
  service_life(caf::actor_system& system, const incarnation_id& incarnation,
               call_site_recording call_sites) noexcept
    : service_directory(system, incarnation, call_sites) {
    // nop
  }

  ~service_life() override = default;

  // What else ends with the services, in that order.

  /// Those who wait for a value get an error, and so do all that come later.
  virtual void refuse_readers() = 0;

  /// The files of the node's memory go; views go on reading.
  virtual void withdraw_arena() = 0;

private:
  void begin_closing_port();
  void fail(service_kind kind);
  [[nodiscard]] std::string failure() const;
  void stop(service_kind kind);
  void tell_to_stop(service_kind kind);
  [[nodiscard]] bool await_stopped(service_kind kind);
  void stop_services();
  void end_services();
  [[nodiscard]] bool await_end();

  std::atomic<bool> stopping_ = false; ///< a thread is in `shut_down`, or was
  std::atomic<bool> failed_ = false;   ///< a service has died

  std::atomic<bool> in_cluster_ = false;

  // Under the services' mutex.
  std::function<void(port_closing)> port_closer_;
  std::array<std::size_t, service_kinds> running_{};
  std::vector<caf::strong_actor_ptr> spill_workers_;
  std::string failure_; ///< why a service died; empty if none has
};

} // namespace mobula
