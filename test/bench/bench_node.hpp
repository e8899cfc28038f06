#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <caf/actor_system.hpp>

#include "mobula/config.hpp"
#include "mobula/node.hpp"

namespace mobula::bench {

/// An actor system with the default configuration, and a node on it, that all cases share.
class bench_node {
public:
  [[nodiscard]] caf::actor_system& system() noexcept {
    return system_;
  }

  [[nodiscard]] mobula::node& node() noexcept {
    return node_;
  }

private:
  config settings_;
  caf::actor_system system_{settings_};
  mobula::node node_{system_};
};

/// A small value: trivially copyable, so that the store and not a codec is measured.
template <std::size_t Bytes>
using payload = std::array<std::uint64_t, Bytes / sizeof(std::uint64_t)>;

/// Blocks until the node has done all that the calling thread asked of it so far: work that was put
/// off is work, too. Takes some messages' time, so do it once for many operations.
inline void settle(mobula::node& node) {
  (void)node.stats();
}

} // namespace mobula::bench
