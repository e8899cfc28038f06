// The checksum against values of the algorithm's specification, whole and piece by piece.

#include "mobula/serialization/checksum.hpp"

#include "bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

using namespace mobula;
using namespace mobula::test;

namespace {

/// Bytes that repeat late, so that pieces in another order have another checksum.
std::vector<std::byte> sample(std::size_t size) {
  std::vector<std::byte> result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = static_cast<std::byte>(i * 131 + i / 251);
  return result;
}

} // namespace

TEST_CASE("the checksum is XXH3-64 without a seed") {
  // The empty input's value is from the algorithm's specification.
  CHECK(checksum_of({}) == 0x2d06800538d394c2);
  CHECK(checksum_of(from_text("a")) == 0xe6c632b61e964e1f);
}

TEST_CASE("a running checksum of pieces is that of the whole") {
  running_checksum sum;
  CHECK(sum.value() == checksum_of({}));
  // Around the lengths at which the algorithm changes its way: 16, 128, 240 and its buffer of 256.
  for (std::size_t size : {1U, 16U, 17U, 128U, 129U, 240U, 241U, 256U, 257U, 4'095U, 70'000U}) {
    auto bytes = sample(size);
    for (std::size_t piece : {std::size_t{1}, std::size_t{255}, std::size_t{4'096}, size}) {
      sum.reset();
      for (std::size_t done = 0; done < size; done += piece)
        sum.add(std::span{bytes}.subspan(done, std::min(piece, size - done)));
      CAPTURE(size);
      CAPTURE(piece);
      CHECK(sum.value() == checksum_of(bytes));
      // Asking changes nothing.
      CHECK(sum.value() == checksum_of(bytes));
    }
  }
}

TEST_CASE("a running checksum that was reset knows nothing of what came before") {
  running_checksum sum;
  sum.add(sample(1'000));
  sum.reset();
  CHECK(sum.value() == checksum_of({}));
  sum.add(from_text("a"));
  CHECK(sum.value() == checksum_of(from_text("a")));
}
