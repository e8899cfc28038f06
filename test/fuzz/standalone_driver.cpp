// Runs a fuzz target without libFuzzer: a fixed corpus and a bounded number of mutations of it from
// one seed, so that it is an ordinary test that gives the same result everywhere.
//
// Usage: <target> [number of mutations] [seed]

#include "fuzz_target.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

using input = mobula::test::fuzz_input;

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
  auto seeds = mobula::test::fuzz_corpus();
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
