#pragma once

#include <cstdint>
#include <optional>

#include "data_links.hpp"
#include "mobula/store/port/transfer_port.hpp"
#include "mobula/store/port/wire_compression.hpp"
#include "mobula/store/transfer/push_effects.hpp"

namespace mobula {

/// A chunk that is ready to be written, or why it is not.
struct prepared_chunk {
  send_chunk chunk;
  std::optional<outgoing_frame> frame; ///< none if the bytes could not be had
  std::optional<compression_sample> sample;
};

enum class compressing : std::uint8_t { no, yes };
enum class sampling : std::uint8_t { no, yes };

/// Takes the bytes of a chunk from where they are, and puts a header before them. May read a file
/// and compress, so that it may take long; thread-safe, as far as the source is.
[[nodiscard]] prepared_chunk prepare(transfer_source& source, const send_chunk& chunk,
                                     compressing compresses, sampling samples);

} // namespace mobula
