#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mobula/store/system/io_calls.hpp"

namespace mobula {

/// What a sweep did, which removes the files of dead incarnations from a directory.
struct sweep_result {
  std::size_t files_removed = 0; ///< spill files or arenas; lock files are not counted
  std::uint64_t bytes_removed = 0;
  std::size_t incarnations_alive = 0;
  std::vector<io_failure> failures; ///< what was left behind, and why
};

} // namespace mobula
