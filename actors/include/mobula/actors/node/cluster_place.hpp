#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/actors/node/node_options.hpp"
#include "mobula/actors/node/service_life.hpp"
#include "mobula/actors/objects/peer_arenas.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

struct begin_transfers;

/// A node's place among its cluster: who speaks for it there, where others get at its values, and
/// where it reads theirs.
class cluster_place : public service_life {
public:
  /// Takes the right to speak for the node among its cluster, which one has in a node's life.
  /// Returns false if somebody has it, or had it. Any thread.
  [[nodiscard]] bool claim_membership() noexcept {
    return !membership_claimed_.exchange(true);
  }

  /// Gives the right back, before any other node was told.
  void release_membership() noexcept {
    membership_claimed_.store(false);
  }

  /// Returns whether that right was taken: an actor that only keeps the node's own names speaks to
  /// nobody. Any thread.
  [[nodiscard]] bool membership_claimed() const noexcept {
    return membership_claimed_.load();
  }

  /// Values may be pulled from here, and by this node. REQUIRES: called once, after
  /// `start_cluster`, before the cluster actor hears of any other node.
  void set_data_endpoint(data_endpoint at, begin_transfers start);

  /// What this node tells others of its data port; without one, that is nowhere. REQUIRES: called
  /// by the cluster actor or the transfers.
  [[nodiscard]] const data_endpoint& own_endpoint() const noexcept {
    return own_endpoint_;
  }

  /// Draws a number for a copy that is pulled; no object of this node has it. Any thread.
  [[nodiscard]] pull_number next_pull_number() noexcept;

  /// The arenas of other nodes that can be read in place.
  [[nodiscard]] peer_arenas& arenas() noexcept {
    return arenas_;
  }

  [[nodiscard]] const peer_arenas& arenas() const noexcept {
    return arenas_;
  }

  void wake_cluster(wake_time when) noexcept final;

protected:
  cluster_place(caf::actor_system& system, const incarnation_id& incarnation,
                const node_options& options)
    : service_life(system, incarnation, options.call_sites),
      arenas_(options.arena_directory, options.same_host_reading) {
    // nop
  }

  ~cluster_place() override = default;

private:
  std::atomic<bool> membership_claimed_ = false;
  data_endpoint own_endpoint_; ///< written once, before the cluster actor is told of its membership
  std::atomic<std::uint64_t> pulls_ = 1; ///< counts, for their numbers
  peer_arenas arenas_;
};

} // namespace mobula
