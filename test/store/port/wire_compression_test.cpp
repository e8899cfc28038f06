// When chunks are compressed, and that damaged ones write nowhere but into their target.

#include <doctest/doctest.h>

#include <random>

#include "mobula/store/port/wire_compression.hpp"

using namespace mobula;

namespace {

constexpr double gigabyte = 1e9;

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937_64 random{1};
  std::vector<std::byte> result(size);
  for (auto& byte : result)
    byte = static_cast<std::byte>(random());
  return result;
}

/// A meter that has sampled, and whose link takes so much.
compression_meter meter_for(compression_sample sample, double link_bytes_per_second) {
  compression_meter meter{compression_mode::automatic};
  meter.sampled(sample);
  meter.sent(static_cast<std::uint64_t>(link_bytes_per_second), 1);
  return meter;
}

} // namespace

TEST_CASE("bytes that repeat are compressed and come back") {
  std::vector<std::byte> bytes(100'000, std::byte{7});
  auto frame = compress(bytes);
  REQUIRE(frame);
  CHECK(frame->size() < bytes.size() / 10);
  std::vector<std::byte> copy(bytes.size());
  CHECK(decompress(*frame, copy));
  CHECK(copy == bytes);
}

TEST_CASE("bytes that do not get shorter are left alone") {
  CHECK_FALSE(compress(random_bytes(100'000)));
  CHECK_FALSE(compress({}));
}

TEST_CASE("a frame must hold exactly as many bytes as expected") {
  std::vector<std::byte> bytes(1'000);
  auto frame = compress(bytes);
  REQUIRE(frame);
  for (std::size_t size : {0, 999, 1'001}) {
    std::vector<std::byte> copy(size);
    CHECK_FALSE(decompress(*frame, copy));
  }
}

TEST_CASE("a damaged frame is refused or gives other bytes, and writes nowhere else") {
  std::vector<std::byte> bytes(1'000, std::byte{1});
  auto frame = compress(bytes);
  REQUIRE(frame);
  std::vector<std::byte> copy(1'000);
  for (std::size_t bit = 0; bit < 8 * frame->size(); ++bit) {
    auto damaged = *frame;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    (void)decompress(damaged, copy);
  }
  for (std::size_t size = 0; size < frame->size(); ++size)
    CHECK_FALSE(decompress(std::span{*frame}.first(size), copy));
}

TEST_CASE("a sample tells bytes that repeat from bytes that do not") {
  CHECK(sample_compression(std::vector<std::byte>(100'000)).ratio < 0.1);
  CHECK(sample_compression(random_bytes(100'000)).ratio == 1);
  CHECK(sample_compression({}).ratio == 1);
}

TEST_CASE("on and off are not questioned") {
  CHECK(compression_meter{compression_mode::on}.should_compress());
  CHECK_FALSE(compression_meter{compression_mode::off}.should_compress());
}

TEST_CASE("nothing is compressed before there is a sample and a speed") {
  compression_meter meter{compression_mode::automatic};
  CHECK_FALSE(meter.should_compress());
  meter.sampled({.ratio = 0.1, .bytes_per_second = gigabyte});
  CHECK_FALSE(meter.should_compress());
  meter.sent(1'000, 1);
  CHECK(meter.should_compress());
}

TEST_CASE("a slow link is worth compressing for, a fast one is not") {
  compression_sample half{.ratio = 0.5, .bytes_per_second = gigabyte / 2};
  CHECK(meter_for(half, gigabyte / 10).should_compress());
  CHECK_FALSE(meter_for(half, 2 * gigabyte).should_compress());
}

TEST_CASE("bytes that hardly get shorter are not worth it on any link") {
  CHECK_FALSE(meter_for({.ratio = 0.9, .bytes_per_second = gigabyte}, 1'000).should_compress());
}

TEST_CASE("a link that gets slower is noticed") {
  auto meter = meter_for({.ratio = 0.2, .bytes_per_second = gigabyte / 2}, 10 * gigabyte);
  CHECK_FALSE(meter.should_compress());
  for (int i = 0; i < 10; ++i)
    meter.sent(1'000'000, 1);
  CHECK(meter.should_compress());
}

TEST_CASE("one chunk in sixteen is sampled, and only when that decides anything") {
  compression_meter automatic{compression_mode::automatic};
  compression_meter off{compression_mode::off};
  int samples = 0;
  for (int i = 0; i < 160; ++i) {
    samples += automatic.should_sample() ? 1 : 0;
    CHECK_FALSE(off.should_sample());
  }
  CHECK(samples == 10);
}
