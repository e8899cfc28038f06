#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// What a target gives to the standalone driver.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace mobula::test {

using fuzz_input = std::vector<std::byte>;

/// Returns well-formed inputs, which the driver mutates.
std::vector<fuzz_input> fuzz_corpus();

} // namespace mobula::test
