// Compresses chunks for the data port, and judges by samples and the speed of the link whether that
// saves time.

#include "mobula/store/port/wire_compression.hpp"

#include <algorithm>
#include <chrono>

#include <zstd.h>

namespace mobula {

namespace {

/// The fastest of zstd's normal levels: a wire is not an archive.
constexpr int level = 1;

constexpr std::size_t sample_bytes = std::size_t{64} << 10;
constexpr std::uint64_t chunks_a_sample = 16;

/// Part of the time that compression must save.
constexpr double worthwhile = 0.2;

/// Weight of the newest chunk in the link's speed.
constexpr double newest = 0.25;

} // namespace

std::optional<std::vector<std::byte>> compress(std::span<const std::byte> bytes) {
  // With less space than the bytes take, zstd gives up where it would be of no use.
  std::vector<std::byte> frame(bytes.size());
  auto size = ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0 || size >= bytes.size())
    return std::nullopt;
  frame.resize(size);
  return frame;
}

bool decompress(std::span<const std::byte> frame, std::span<std::byte> target) {
  auto size = ZSTD_decompress(target.data(), target.size(), frame.data(), frame.size());
  return ZSTD_isError(size) == 0 && size == target.size();
}

compression_sample sample_compression(std::span<const std::byte> bytes) {
  auto part = bytes.first(std::min(bytes.size(), sample_bytes));
  if (part.empty())
    return {};
  auto before = std::chrono::steady_clock::now();
  auto frame = compress(part);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  auto size = static_cast<double>(part.size());
  return {.ratio = frame ? static_cast<double>(frame->size()) / size : 1,
          .bytes_per_second = size / std::max(took.count(), 1e-9)};
}

bool compression_meter::should_compress() const noexcept {
  if (mode_ != compression_mode::automatic)
    return mode_ == compression_mode::on;
  if (!sample_ || link_bytes_per_second_ <= 0 || sample_->bytes_per_second <= 0)
    return false;
  auto plain = 1 / link_bytes_per_second_;
  auto compressed = std::max(sample_->ratio * plain, 1 / sample_->bytes_per_second);
  return compressed < (1 - worthwhile) * plain;
}

bool compression_meter::should_sample() noexcept {
  return mode_ == compression_mode::automatic && chunks_++ % chunks_a_sample == 0;
}

void compression_meter::sent(std::uint64_t wire_bytes, double seconds) noexcept {
  auto speed = static_cast<double>(wire_bytes) / std::max(seconds, 1e-9);
  // Averages times and not speeds: one chunk that only filled a buffer would count for all.
  link_bytes_per_second_ = link_bytes_per_second_ <= 0
                             ? speed
                             : 1 / ((1 - newest) / link_bytes_per_second_ + newest / speed);
}

} // namespace mobula
