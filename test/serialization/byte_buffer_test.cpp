// The buffer that codecs write to: what it keeps, how it grows, and that it says so when it cannot.

#include "mobula/serialization/byte_buffer.hpp"

#include "bytes.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <new>

using namespace mobula;
using namespace mobula::test;

TEST_CASE("a buffer holds what was appended, however often it grew") {
  byte_buffer buffer;
  std::vector<std::byte> expected;
  for (int i = 0; i < 10'000; ++i) {
    buffer.push_back(static_cast<std::byte>(i));
    expected.push_back(static_cast<std::byte>(i));
  }
  CHECK(to_hex(buffer.span()) == to_hex(expected));
}

TEST_CASE("a cleared buffer keeps its memory and a reset one does not") {
  byte_buffer buffer;
  buffer.reserve(5000);
  CHECK(buffer.capacity() == 5000);
  buffer.extend(10);
  buffer.clear();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == 5000);
  buffer.reset();
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("a buffer that is reset forgets its bytes") {
  byte_buffer buffer;
  buffer.push_back(std::byte{1});
  buffer.reset();
  CHECK(buffer.empty());
  CHECK(buffer.data() == nullptr);
}

TEST_CASE("a buffer never shrinks because less is reserved") {
  byte_buffer buffer;
  buffer.reserve(5000);
  buffer.extend(1000);
  buffer.reserve(500);
  CHECK(buffer.capacity() == 5000);
}

TEST_CASE("a buffer that grows by more than it holds has space for both") {
  byte_buffer buffer;
  buffer.extend(10'000);
  buffer.extend(15'000);
  CHECK(buffer.size() == 25'000);
  CHECK(buffer.capacity() >= buffer.size());
}

TEST_CASE("a buffer that was moved from is empty") {
  byte_buffer source;
  source.push_back(std::byte{1});
  byte_buffer target{std::move(source)};
  CHECK(target.size() == 1);
  CHECK(source.size() == 0); // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST_CASE("appending nothing from nowhere changes nothing") {
  byte_buffer buffer;
  buffer.append(nullptr, 0);
  buffer.append(std::span<const std::byte>{});
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("a buffer that cannot grow says so and keeps its bytes") {
  byte_buffer buffer;
  buffer.push_back(std::byte{1});
  CHECK_THROWS_AS(buffer.extend(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  CHECK(to_hex(buffer.span()) == "01");
}

TEST_CASE("a truncated buffer holds the bytes before the cut") {
  byte_buffer buffer;
  buffer.append("abcdef", 6);
  buffer.truncate(2);
  CHECK(to_text(buffer.span()) == "ab");
}
