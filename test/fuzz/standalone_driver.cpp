// Runs a fuzz target without libFuzzer: a fixed corpus and a bounded number of mutations of it from
// one seed, so that it is an ordinary test that gives the same result everywhere.
//
// Usage: <target> [number of mutations] [seed]

#include "mobula/serialization/error.hpp"
#include "mobula/serialization/metadata.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace mobula;
using input = std::vector<std::byte>;

std::vector<input> corpus() {
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

/// Changes, inserts, removes or copies some bytes.
void mutate(input& bytes, std::mt19937_64& engine) {
  auto position = [&] {
    return bytes.begin() + static_cast<std::ptrdiff_t>(engine() % (bytes.size() + 1));
  };
  auto place = position();
  switch (engine() % 5) {
    case 0:
      if (place != bytes.end())
        *place ^= std::byte{1} << (engine() % 8);
      break;
    case 1:
      if (place != bytes.end())
        *place = static_cast<std::byte>(engine());
      break;
    case 2:
      bytes.insert(place, 1 + engine() % 8, static_cast<std::byte>(engine() % 4));
      break;
    case 3:
      bytes.erase(place, bytes.end());
      break;
    default: {
      input copy(place, std::max(place, position()));
      bytes.insert(position(), copy.begin(), copy.end());
      break;
    }
  }
}

void run(const input& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

} // namespace

int main(int argument_count, char** arguments) {
  auto argument = [&](int index, std::uint64_t otherwise) {
    return argument_count > index ? std::strtoull(arguments[index], nullptr, 10) : otherwise;
  };
  auto mutations = argument(1, 200'000);
  std::mt19937_64 engine{argument(2, 1)};
  auto seeds = corpus();
  for (const auto& seed : seeds)
    run(seed);
  for (std::uint64_t i = 0; i < mutations; ++i) {
    auto bytes = seeds[engine() % seeds.size()];
    for (auto count = 1 + engine() % 4; count > 0; --count)
      mutate(bytes, engine);
    run(bytes);
  }
  std::printf("%llu mutations held\n", static_cast<unsigned long long>(mutations));
  return 0;
}
