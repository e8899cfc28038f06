#pragma once

#include <cstddef>
#include <cstdint>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/port/transfer_port.hpp"
#include "mobula/store/port/wire_compression.hpp"

namespace mobula {

/// Settings of a data port, which its connections follow too.
struct data_port_config {
  incarnation_id self{};
  data_address listen{.ip = "127.0.0.1"}; ///< port 0: any that is free; `::` hears IPv4 as well
  compression_mode compression = compression_mode::automatic;
  /// How long a connection may take until both sides have greeted, all addresses together.
  std::uint64_t greeting_ms = 5'000;
  /// How often a chunk that is on its way is told of.
  std::uint64_t progress_ms = 1'000;
  /// An idle connection is tested after so long, and one that does not answer for as long again, or
  /// does not take what is sent, is closed. Shorter than firewalls remember connections.
  std::uint64_t silence_ms = 20'000;
  /// Connections that have not greeted yet; more are closed at once.
  std::size_t max_strangers = 64;
  /// Frames that wait for a reader that does not read; more end its connection.
  std::size_t max_waiting_frames = 4'096;
};

} // namespace mobula
