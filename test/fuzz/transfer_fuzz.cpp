// A frame that the decoder accepts must encode to the same bytes, and keep to the limits that the
// data port relies on. Anything else that bytes can do to a decoder shows as a crash or under a
// sanitizer.

#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

#include "fuzz_target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace mobula;

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void check_range(const object_range& range, std::uint64_t max_bytes) {
  require(!range.id.empty(), "an accepted range is one of an object");
  require(range.length_bytes > 0 && range.length_bytes <= max_bytes,
          "an accepted range has an allowed length");
  require(range.offset_bytes + range.length_bytes <= frame_limits::object_bytes,
          "an accepted range ends within any object");
}

void check_frame(const frame_header& header) {
  auto frame = decode_frame(header);
  if (!frame)
    return;
  require(encode(*frame) == header, "an accepted frame has one encoding");
  if (const auto* request = std::get_if<request_frame>(&*frame))
    check_range(request->range, frame_limits::object_bytes);
  if (const auto* chunk = std::get_if<chunk_frame>(&*frame)) {
    check_range(chunk->range, frame_limits::chunk_bytes);
    require(chunk->wire_bytes > 0 && chunk->wire_bytes <= chunk->range.length_bytes,
            "an accepted payload is no longer than what it holds");
  }
}

/// Puts the right checksum on a header: mutations would hardly ever find it.
frame_header sealed(frame_header header) {
  auto checksum = checksum_of(std::span{header}.first(frame_bytes - 8));
  for (std::size_t i = 0; i < 8; ++i)
    header[frame_bytes - 8 + i] = static_cast<std::byte>(checksum >> (8 * i));
  return header;
}

} // namespace

std::vector<mobula::test::fuzz_input> mobula::test::fuzz_corpus() {
  object_range range{
    .id = {.owner = {.high = 1, .low = 2}, .sequence = 3}, .offset_bytes = 4, .length_bytes = 5};
  std::vector<fuzz_input> result;
  for (const transfer_frame& frame :
       {transfer_frame{hello_frame{.token = {}, .sender = {1, 2}, .receiver = {3, 4}}},
        transfer_frame{request_frame{ask_number{1}, range}},
        transfer_frame{chunk_frame{ask_number{1}, range, chunk_encoding::plain, 5, 6}},
        transfer_frame{chunk_frame{ask_number{1}, range, chunk_encoding::zstd, 4, 6}},
        transfer_frame{refusal_frame{ask_number{1}, refusal_reason::busy}},
        transfer_frame{cancel_frame{ask_number{1}}}}) {
    auto header = encode(frame);
    result.emplace_back(header.begin(), header.end());
  }
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::as_bytes(std::span{data, size});
  frame_header header{};
  std::ranges::copy(input.first(std::min(size, frame_bytes)), header.begin());
  check_frame(header);
  check_frame(sealed(header));
  return 0;
}
