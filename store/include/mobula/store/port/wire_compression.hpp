#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mobula {

enum class compression_mode : std::uint8_t { off, on, automatic };

/// What compressing a little of the bytes has shown.
struct compression_sample {
  double ratio = 1;            ///< compressed size by plain size
  double bytes_per_second = 0; ///< of plain bytes
};

/// Returns a zstd frame that is shorter than the bytes; nothing when there is none.
[[nodiscard]] std::optional<std::vector<std::byte>> compress(std::span<const std::byte> bytes);

/// Fills the target. Returns whether the frame, which may be damaged, holds exactly as many bytes.
[[nodiscard]] bool decompress(std::span<const std::byte> frame, std::span<std::byte> target);

/// Compresses some of the bytes and measures.
[[nodiscard]] compression_sample sample_compression(std::span<const std::byte> bytes);

/// Decides whether the chunks of one connection are compressed.
///
/// `automatic` compares what the link takes with what compression would save: compressing runs
/// beside sending, so the slower of both counts, and it must win clearly, since its processor time
/// is not free. Both change: the link's speed is learnt from every chunk, the bytes are sampled
/// once in so many chunks, since objects differ. On a fast link the samples are all that it costs.
class compression_meter {
public:
  explicit compression_meter(compression_mode mode) noexcept : mode_(mode) {
  }

  [[nodiscard]] bool should_compress() const noexcept;

  /// Counts a chunk. Returns whether it is to be sampled.
  [[nodiscard]] bool should_sample() noexcept;

  void sampled(const compression_sample& sample) noexcept {
    sample_ = sample;
  }

  /// The connection took so many bytes in so long.
  void sent(std::uint64_t wire_bytes, double seconds) noexcept;

private:
  compression_mode mode_;
  std::optional<compression_sample> sample_;
  double link_bytes_per_second_ = 0; ///< zero until the first chunk was sent
  std::uint64_t chunks_ = 0;
};

} // namespace mobula
