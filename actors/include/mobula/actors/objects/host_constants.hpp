#pragma once

#include "mobula/actors/caf/test_scheduler.hpp"
#include "mobula/actors/objects/call_site.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/system/home_process.hpp"

namespace mobula {

/// What a node is for all of its life: its incarnation, its process, and how it was made to run.
/// Set when the node is made and never written again, so that any thread reads it in line.
class host_constants {
public:
  host_constants(const host_constants&) = delete;
  host_constants& operator=(const host_constants&) = delete;

  [[nodiscard]] const incarnation_id& incarnation() const noexcept {
    return incarnation_;
  }

  /// Returns whether the calling process is the node's own, and not a child that was forked of it:
  /// there the node has no services, its mutexes may be locked for ever, and its memory, files and
  /// connections are its parent's.
  [[nodiscard]] bool at_home() const noexcept {
    return home_.is_this();
  }

  /// The test coordinator that runs this node, or null.
  [[nodiscard]] simulation_scheduler* simulation() const noexcept {
    return simulation_;
  }

  [[nodiscard]] call_site_recording call_sites() const noexcept {
    return call_sites_;
  }

protected:
  host_constants(const incarnation_id& incarnation, simulation_scheduler* simulation,
                 call_site_recording call_sites) noexcept
    : call_sites_(call_sites), incarnation_(incarnation), simulation_(simulation) {
    // nop
  }

  ~host_constants() = default;

private:
  call_site_recording call_sites_;
  home_process home_;
  incarnation_id incarnation_;
  simulation_scheduler* simulation_;
};

} // namespace mobula
