// Makes a frame of a chunk that is to be sent: its bytes, compressed where that pays, and a header
// with their checksum.

#include "prepared_chunk.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "mobula/serialization/checksum.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// Replaces the payload by a compressed one, if there is a shorter one.
chunk_encoding shorten(served_bytes& payload) {
  auto frame = compress(payload.bytes);
  if (!frame)
    return chunk_encoding::plain;
  auto kept = std::make_shared<std::vector<std::byte>>(std::move(*frame));
  payload = {.bytes = *kept, .pin = kept};
  return chunk_encoding::zstd;
}

} // namespace

prepared_chunk prepare(transfer_source& source, const send_chunk& chunk, compressing compresses,
                       sampling samples) {
  prepared_chunk result{.chunk = chunk, .frame = std::nullopt, .sample = std::nullopt};
  auto payload = source.pin(chunk);
  if (!payload)
    return result;
  MOBULA_ASSERT(payload->bytes.size() == chunk.range.length_bytes);
  if (samples == sampling::yes)
    result.sample = sample_compression(payload->bytes);
  auto encoding = compresses == compressing::yes ? shorten(*payload) : chunk_encoding::plain;
  auto header = encode(chunk_frame{.ask = chunk.ask,
                                   .range = chunk.range,
                                   .encoding = encoding,
                                   .wire_bytes = static_cast<std::uint32_t>(payload->bytes.size()),
                                   .checksum = checksum_of(payload->bytes)});
  result.frame = outgoing_frame{.header = header, .payload = *payload, .send = chunk.send};
  return result;
}

} // namespace mobula
