#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bench_node.hpp"

namespace mobula::bench {

/// Data bytes of each object of a population.
inline constexpr std::size_t member_bytes = 64;

using member = payload<member_bytes>;

/// Inline objects of 64 bytes that live together on a node of their own, so that populations of
/// different sizes can be compared side by side.
class object_population {
public:
  explicit object_population(bench_node& bench) : node_(bench.system()) {
    // nop
  }

  [[nodiscard]] mobula::node& node() noexcept {
    return node_;
  }

  /// The references themselves are the user's, not the store's: their memory is taken here.
  void reserve(std::size_t count) {
    members_.reserve(count);
  }

  /// Adds objects, and returns when their owner knows all of them.
  void fill(std::size_t count);

  /// Drops all objects, and returns when nothing of them is left.
  void drain();

  /// Drops the oldest objects for as many new ones. Waits for the owner between putting and
  /// dropping: an object that goes too soon is taken back before the owner hears of it, how often
  /// depends on the size of the population, and then sizes would not do the same work.
  /// REQUIRES: not empty.
  void replace_oldest(std::size_t count);

private:
  mobula::node node_;
  std::vector<ObjectRef<member>> members_;
  std::vector<ObjectRef<member>> others_;
  std::size_t oldest_ = 0;
};

/// The same of plain shared pointers: what any reference counted heap object costs.
class pointer_population {
public:
  void reserve(std::size_t count) {
    members_.reserve(count);
  }

  void fill(std::size_t count);
  void drain();
  void replace_oldest(std::size_t count);

private:
  std::vector<std::shared_ptr<const member>> members_;
  std::vector<std::shared_ptr<const member>> others_;
  std::size_t oldest_ = 0;
};

/// Bytes that the process has from malloc, what malloc adds to each block included.
[[nodiscard]] std::size_t heap_bytes() noexcept;

/// Gives free memory back to the system, so that whoever takes it next pays for page faults,
/// whichever side of a comparison that is.
void release_free_memory() noexcept;

} // namespace mobula::bench
