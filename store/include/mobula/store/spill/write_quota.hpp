#pragma once

#include <cstddef>
#include <cstdint>

#include "mobula/store/spill/spill_config.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_files.hpp"

namespace mobula {

/// What writes may take, spills and moves together: so many at a time, and so many bytes of disk.
class write_quota {
public:
  /// REQUIRES: both outlive this.
  write_quota(const spill_config& config, const spill_files& files)
    : config_(config), files_(files) {
    // nop
  }

  write_quota(const write_quota&) = delete;
  write_quota& operator=(const write_quota&) = delete;

  /// A write of so many bytes begins. Returns its name.
  spill_batch_id begin(std::uint64_t bytes) noexcept {
    ++under_way_;
    bytes_ += bytes;
    return spill_batch_id{++named_};
  }

  /// It has ended: what it wrote counts to the files from now on.
  void end(std::uint64_t bytes) noexcept {
    --under_way_;
    bytes_ -= bytes;
  }

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] bool allows_another_write() const noexcept {
    return under_way_ < config_.max_writes;
  }

  /// Returns whether the spill limit has space for so much beyond what there is and is being
  /// written.
  [[nodiscard]] bool allows_bytes(std::uint64_t more_bytes) const noexcept {
    return config_.spill_limit_bytes == 0
           || files_.bytes() + bytes_ + more_bytes <= config_.spill_limit_bytes;
  }

  [[nodiscard]] std::size_t writes_under_way() const noexcept {
    return under_way_;
  }

  /// Asserts that both bounds hold, and that these are the writes under way and their bytes.
  void check_invariants(std::size_t writes, std::uint64_t bytes) const;

private:
  const spill_config& config_;
  const spill_files& files_;
  std::uint64_t named_ = 0;
  std::size_t under_way_ = 0; ///< at most `max_writes`
  std::uint64_t bytes_ = 0;   ///< sum of the writes under way
};

} // namespace mobula
