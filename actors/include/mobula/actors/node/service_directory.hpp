#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/caf/test_scheduler.hpp"
#include "mobula/actors/node/service_handles.hpp"
#include "mobula/actors/node/service_uses.hpp"
#include "mobula/actors/objects/object_host.hpp"

namespace mobula {

/// How the parts of a node find its services, and keep them from going while they send to one.
///
/// Counted, as `object_host` says. Thread-safe.
class service_directory : public object_host {
public:
  void add_ref() noexcept final {
    uses_.add();
  }

  void drop_ref() noexcept final {
    if (uses_.drop() && at_home())
      delete this;
  }

  // -- properties ---------------------------------------------------------------------------------

  /// REQUIRES: the node has not shut down: the system may be gone afterwards.
  [[nodiscard]] caf::actor_system& system() const noexcept {
    return *system_;
  }

  /// The time by the actor system's clock, which may be gone unless it is that of a simulation: all
  /// others run alike.
  [[nodiscard]] caf_clock::time_point now() const noexcept {
    return simulation() != nullptr ? system_->clock().now() : caf_clock::now();
  }

  [[nodiscard]] error_origin origin() const final;

  /// Throws this error in any process but the node's own.
  void require_home() const {
    if (!at_home()) [[unlikely]]
      throw object_error{shutting_down_error()};
  }

  // -- handles ------------------------------------------------------------------------------------

  /// For who launches the services, one after the other.
  [[nodiscard]] service_handles& services_to_launch() noexcept {
    return services_;
  }

  /// REQUIRES: the node is in a cluster.
  [[nodiscard]] const cluster_actor& cluster() const noexcept {
    return services_.cluster;
  }

  /// What moves the bytes of values. REQUIRES: the node is in a cluster.
  [[nodiscard]] const transfers_actor& transfers() const noexcept {
    return services_.transfers;
  }

  [[nodiscard]] const reference_counter_actor& counter() const noexcept {
    return services_.counter;
  }

  [[nodiscard]] const owner_actor& owner() const noexcept {
    return services_.owner;
  }

  [[nodiscard]] const heap_keeper_actor& heap_keeper() const noexcept {
    return services_.heap_keeper;
  }

  [[nodiscard]] const std::vector<store_shard_actor>& shards() const noexcept {
    return services_.shards;
  }

  [[nodiscard]] const spill_manager_actor& spill_manager() const noexcept {
    return services_.spill_manager;
  }

  // -- sending ------------------------------------------------------------------------------------

  /// While it lives, and is not empty, the services and the actor system are there. For threads
  /// that are no services, for as long as they send a message. Does not block.
  class services_use {
  public:
    /// REQUIRES: the directory lives until this is made; it may be the last to hold it afterwards.
    explicit services_use(service_directory& directory) noexcept
      : directory_(directory.at_home() && directory.uses_.try_use() ? &directory : nullptr) {
      // nop
    }

    services_use(const services_use&) = delete;
    services_use& operator=(const services_use&) = delete;

    ~services_use() {
      if (directory_ != nullptr)
        directory_->end_use();
    }

    [[nodiscard]] explicit operator bool() const noexcept {
      return directory_ != nullptr;
    }

  private:
    service_directory* directory_;
  };

  /// Sends to a shard, unless the services are gone; what the message carries is freed then.
  template <class Message>
  void send_to_shard(std::uint32_t shard, Message message) {
    if (services_use use{*this})
      caf::anon_send(services_.shards[shard], std::move(message));
  }

  /// Returns whether the services have ended or were left behind, or belong to the parent of this
  /// forked child. A sender makes a `services_use`: the services may end right after this.
  [[nodiscard]] bool services_gone() const noexcept {
    return uses_.have_ended() || !at_home();
  }

  /// Counts one handled message; see `node_stats::messages`.
  void count_message() noexcept {
    messages_.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t messages() const noexcept {
    return messages_.load(std::memory_order_relaxed);
  }

protected:
  service_directory(caf::actor_system& system, const incarnation_id& incarnation,
                    call_site_recording call_sites) noexcept
    : object_host(incarnation, test_scheduler(system), call_sites), system_(&system) {
    // nop
  }

  virtual ~service_directory() = default;

  service_uses& uses() noexcept {
    return uses_;
  }

  mutable std::mutex services_mutex_;        ///< guards the end of services, and what it changes
  std::condition_variable services_changed_; ///< also told of answers, see `await_answer`
  bool filler_left_ = false; ///< shutdown has left the filler to the last use, which takes it back

private:
  void end_use() noexcept;

  caf::actor_system* system_;
  service_handles services_;

  // What messages write: a cache line apart.
  alignas(64) service_uses uses_;
  std::atomic<std::uint64_t> messages_ = 0;
};

} // namespace mobula
