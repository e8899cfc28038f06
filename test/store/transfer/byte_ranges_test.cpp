// Sets of bytes, against one flag for each byte.

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "mobula/store/transfer/byte_ranges.hpp"

using namespace mobula;

TEST_CASE("adjacent and overlapping ranges become one") {
  byte_ranges ranges;
  ranges.add({0, 10});
  ranges.add({20, 30});
  CHECK(ranges.pieces() == 2);
  ranges.add({10, 20});
  CHECK(ranges.pieces() == 1);
  CHECK(ranges.total_bytes() == 30);
  CHECK(ranges.first_gap(30).size() == 0);
}

TEST_CASE("the first gap is the first missing bytes") {
  byte_ranges ranges;
  CHECK(ranges.first_gap(5) == byte_range{0, 5});
  ranges.add({0, 10});
  ranges.add({20, 30});
  CHECK(ranges.first_gap(40) == byte_range{10, 20});
  CHECK(ranges.first_gap(15) == byte_range{10, 15});
  CHECK(ranges.first_gap(5) == byte_range{5, 5});
}

TEST_CASE("an empty range changes nothing") {
  byte_ranges ranges;
  ranges.add({5, 5});
  CHECK(ranges.pieces() == 0);
  ranges.remove({0, 0});
  CHECK(ranges == byte_ranges{});
}

TEST_CASE("ranges agree with one flag for each byte, whatever is added and removed") {
  constexpr std::uint64_t size = 40;
  std::mt19937_64 random{1};
  for (int round = 0; round < 2'000; ++round) {
    byte_ranges ranges;
    std::vector<bool> flags(size);
    for (int step = 0; step < 20; ++step) {
      auto begin = random() % size;
      auto end = begin + random() % (size + 1 - begin);
      auto adds = random() % 3 != 0;
      for (auto byte = begin; byte < end; ++byte)
        flags[byte] = adds;
      adds ? ranges.add({begin, end}) : ranges.remove({begin, end});
    }
    std::uint64_t total = 0;
    for (std::uint64_t byte = 0; byte < size; ++byte) {
      total += flags[byte] ? 1 : 0;
      auto end = byte;
      while (end < size && flags[end])
        ++end;
      REQUIRE(ranges.present_from(byte) == byte_range{byte, end});
    }
    REQUIRE(ranges.total_bytes() == total);
    byte_ranges copy;
    copy.add(ranges);
    REQUIRE(copy == ranges);
  }
}
