#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include <mobula/node.hpp>

#include "../../parcel_keeper.hpp"
#include "random_schedule.hpp"

/// What the parts of a random schedule share: random_schedule.cpp has nodes live and die,
/// schedule_actor.cpp says what actors on them do.

namespace mobula::test {

/// One node and the actors that belong to it.
struct site {
  node* where = nullptr;
  std::vector<caf::actor> actors;
  std::vector<promise<parcel>> open;
};

inline constexpr std::size_t site_count = 3;

/// The first ones tell most.
inline constexpr std::size_t max_broken = 5;

/// What all actors of one run share.
struct world : parcel_run {
  const schedule_plan& plan;
  schedule_coverage& seen;
  std::array<site, site_count> sites{};
  std::vector<std::string> broken{}; ///< promises; at most `max_broken`

  /// Kept until the end, since an exception would end no more than the actor that met it.
  void require(bool holds, const std::string& promise) {
    if (!holds && broken.size() < max_broken)
      broken.push_back(promise);
  }

  [[nodiscard]] site& any_site() {
    return sites[choose(site_count)];
  }
};

/// Starts an actor on `home`, which does one random thing for each `do_one_thing`. `w` must outlive
/// it.
[[nodiscard]] caf::actor spawn_participant(world& w, site& home);

} // namespace mobula::test
