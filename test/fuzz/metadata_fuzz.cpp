// What a decoder accepts must encode to bytes that it accepts again as the same value. Anything
// else that bytes can do to a decoder shows as a crash or under a sanitizer.

#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/serialization/metadata.hpp"

#include "fuzz_target.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

using namespace mobula;

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void check_error(std::span<const std::byte> input) {
  auto first = decode_error_info(input);
  if (!first)
    return;
  auto bytes = encode(*first);
  require(std::ranges::equal(bytes, input), "an accepted error has one encoding");
  auto second = decode_error_info(bytes);
  require(second && *second == *first, "an accepted error survives its encoding");
}

void check_metadata(std::span<const std::byte> input) {
  auto first = decode_metadata(input);
  if (!first)
    return;
  auto bytes = encode(*first);
  require(bytes.size() <= input.size(), "accepted metadata have their shortest encoding");
  auto second = decode_metadata(bytes);
  require(second && *second == *first, "accepted metadata survive their encoding");
}

/// Puts the right length and checksum on bytes: mutations would hardly ever find them.
std::vector<std::byte> sealed(std::span<const std::byte> input) {
  constexpr std::size_t length_offset = 8;
  constexpr std::size_t checksum_bytes = 8;
  std::vector<std::byte> result(input.begin(), input.end());
  if (result.size() < length_offset + 4 + checksum_bytes)
    return result;
  for (std::size_t i = 0; i < 4; ++i)
    result[length_offset + i] = static_cast<std::byte>(result.size() >> (8 * i));
  auto content = std::span{result}.first(result.size() - checksum_bytes);
  auto checksum = checksum_of(content);
  for (std::size_t i = 0; i < checksum_bytes; ++i)
    result[content.size() + i] = static_cast<std::byte>(checksum >> (8 * i));
  return result;
}

} // namespace

std::vector<mobula::test::fuzz_input> mobula::test::fuzz_corpus() {
  error_info cause{.type = error_type::owner_died, .message = "gone"};
  error_info error{.type = error_type::task_execution_exception,
                   .message = "boom",
                   .origin = {.task = "task", .node = "node", .process = 1},
                   .exception_type = "std::exception",
                   .stack_trace = {"frame", "frame"},
                   .causes = {cause, cause}};
  metadata meta{.codec = codec_id::message_pack,
                .type_name = "array<float32>",
                .error = error_type::object_lost,
                .size_bytes = 24,
                .checksum = 1,
                .shape = {2, 3},
                .nested = {{.owner = {.high = 1, .low = 2}, .sequence = 3}}};
  return {{}, encode(error_info{}), encode(error), encode(metadata{}), encode(meta)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::as_bytes(std::span{data, size});
  check_error(input);
  check_metadata(input);
  check_metadata(sealed(input));
  return 0;
}
