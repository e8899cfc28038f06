#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mobula/serialization/checksum.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_file.hpp"
#include "mobula/store/system/io_calls.hpp"
#include "record_header.hpp"
#include "spill_transfer.hpp"

namespace mobula {

/// Reads records of an open spill file through a buffer of bounded size.
class record_reader {
public:
  /// What a believable header says of its record.
  struct record_parts {
    std::uint64_t metadata_bytes = 0;
    std::uint64_t data_bytes = 0;
    std::uint64_t metadata_hash = 0;
    std::uint64_t data_hash = 0;
  };

  /// REQUIRES: both outlive the reader.
  record_reader(const file_handle& file, const io_calls& calls) : file_(file), calls_(calls) {
    // nop
  }

  /// Returns what the record's header says; nothing if it is not that of this record, or damaged.
  [[nodiscard]] std::optional<record_parts> read_header(const moving_record& record) const {
    using namespace spill_format;
    if (record.record_bytes < spill_header_bytes)
      return std::nullopt;
    header_bytes header;
    if (!read(std::as_writable_bytes(std::span{header}), record.offset_bytes))
      return std::nullopt;
    auto metadata_bytes = get(header, at::metadata_size);
    auto body_bytes = record.record_bytes - spill_header_bytes;
    if (metadata_bytes > body_bytes)
      return std::nullopt;
    record_parts result{metadata_bytes, body_bytes - metadata_bytes, get(header, at::metadata_hash),
                        get(header, at::data_hash)};
    auto start = make_header_start(record.id, result.metadata_bytes, result.data_bytes);
    auto believable =
      std::equal(start.begin(), start.begin() + at::metadata_hash, header.begin())
      && get(header, at::header_hash) == checksum_of(std::span{header}.first<at::header_hash>());
    return believable ? std::optional{result} : std::nullopt;
  }

  /// Returns whether the record is whole.
  [[nodiscard]] bool verify(const moving_record& record) {
    auto parts = read_header(record);
    if (!parts)
      return false;
    auto metadata_offset = record.offset_bytes + spill_header_bytes;
    auto data_offset = metadata_offset + parts->metadata_bytes;
    return has_hash(metadata_offset, parts->metadata_bytes, parts->metadata_hash)
           && has_hash(data_offset, parts->data_bytes, parts->data_hash);
  }

  [[nodiscard]] bool read(std::span<std::byte> target, std::uint64_t offset) const {
    transfer parts;
    parts.add(target.data(), target.size());
    return run(parts, calls_.preadv, file_.get(), offset) == transfer_end::done;
  }

  /// Returns the part of the buffer for the next of so many bytes.
  [[nodiscard]] std::span<std::byte> part_of(std::uint64_t bytes) {
    if (buffer_.empty())
      buffer_.resize(buffer_bytes);
    return std::span{buffer_}.first(std::min<std::uint64_t>(bytes, buffer_.size()));
  }

private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

  [[nodiscard]] bool has_hash(std::uint64_t offset, std::uint64_t bytes, std::uint64_t expected) {
    if (!sum_)
      sum_.emplace();
    sum_->reset();
    for (std::uint64_t done = 0; done < bytes;) {
      auto part = part_of(bytes - done);
      if (!read(part, offset + done))
        return false;
      sum_->add(part);
      done += part.size();
    }
    return sum_->value() == expected;
  }

  const file_handle& file_;
  const io_calls& calls_;
  std::vector<std::byte> buffer_;
  std::optional<running_checksum> sum_;
};

} // namespace mobula
