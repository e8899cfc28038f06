#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mobula {

/// Finds records by sequence number: a hash table made for numbers that are handed out in order.
///
/// `Record` needs the members `std::uint64_t sequence` and `std::uint32_t next` (owned by the
/// index).
///
/// Idea: numbers that follow each other fall into neighbouring buckets, sixteen to a run, and runs
/// are spread by hashing. Objects that are made and dropped in order thus touch the same few cache
/// lines, however many others live: the cost of an operation does not grow with the table. A plain
/// `sequence % size` would be as local, but survivors at a regular distance would pile up in one
/// bucket; here at most sixteen do.
///
/// Records stand in chunks, and freed ones are used again, the latest first. When seven in eight of
/// many are gone, those that are left move together and the rest of the memory goes: a node that
/// had a million objects once does not keep space for them. References to records stay valid until
/// one is erased. Not thread-safe.
template <class Record>
class sequence_index {
public:
  sequence_index() {
    buckets_.resize(first_bucket_count, none);
  }

  sequence_index(const sequence_index&) = delete;
  sequence_index& operator=(const sequence_index&) = delete;

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  /// Records that there is memory for.
  [[nodiscard]] std::size_t capacity() const noexcept {
    return chunks_.size() * chunk_size;
  }

  /// Returns the record of `sequence`, or null.
  [[nodiscard]] Record* find(std::uint64_t sequence) noexcept {
    for (auto at = buckets_[bucket_of(sequence)]; at != none; at = record(at).next)
      if (record(at).sequence == sequence)
        return &record(at);
    return nullptr;
  }

  [[nodiscard]] const Record* find(std::uint64_t sequence) const noexcept {
    return const_cast<sequence_index*>(this)->find(sequence);
  }

  /// Adds a record. REQUIRES: there is none for `sequence`. Amortized O(1).
  Record& insert(std::uint64_t sequence) {
    if (size_ == buckets_.size())
      grow();
    auto at = take_slot();
    auto& result = record(at);
    result = Record{};
    result.sequence = sequence;
    link(at);
    ++size_;
    return result;
  }

  /// Removes the record of `sequence`. REQUIRES: there is one. Amortized O(1).
  void erase(std::uint64_t sequence) noexcept {
    auto* link = &buckets_[bucket_of(sequence)];
    while (record(*link).sequence != sequence)
      link = &record(*link).next;
    auto at = *link;
    *link = record(at).next;
    record(at).next = free_;
    record(at).sequence = 0;
    free_ = at;
    --size_;
    if (used_ >= least_to_compact && size_ <= used_ / 8)
      compact();
  }

  /// Calls `f` with each record, in no particular order.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t at = 0; at < used_; ++at)
      if (const auto& candidate = chunks_[at / chunk_size][at % chunk_size];
          candidate.sequence != 0)
        f(candidate);
  }

private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr std::size_t first_bucket_count = 1024;
  static constexpr std::uint32_t chunk_size = 1024;
  static constexpr std::uint64_t run = 16;

  /// So many records and fewer are no memory to speak of.
  static constexpr std::uint32_t least_to_compact = 4 * chunk_size;

  [[nodiscard]] std::size_t bucket_of(std::uint64_t sequence) const noexcept {
    // The low four bits of a sequence name its stripe, and those above them count up.
    auto stripe = sequence % run;
    auto number = sequence / run;
    auto spread = ((number / run) * run + stripe) * 0x9E3779B97F4A7C15ULL;
    return ((spread >> 32U) * run + number % run) & (buckets_.size() - 1);
  }

  [[nodiscard]] Record& record(std::uint32_t at) noexcept {
    return chunks_[at / chunk_size][at % chunk_size];
  }

  std::uint32_t take_slot() {
    if (free_ != none) {
      auto at = free_;
      free_ = record(at).next;
      return at;
    }
    if (used_ == chunks_.size() * chunk_size)
      chunks_.push_back(std::make_unique<Record[]>(chunk_size));
    return used_++;
  }

  void link(std::uint32_t at) noexcept {
    auto& bucket = buckets_[bucket_of(record(at).sequence)];
    record(at).next = bucket;
    bucket = at;
  }

  void grow() {
    buckets_.assign(buckets_.size() * 2, none);
    link_all();
  }

  void link_all() {
    for (std::uint32_t at = 0; at < used_; ++at)
      if (record(at).sequence != 0)
        link(at);
  }

  /// Moves the last records to the places that are free before them. Allocates nothing, so that it
  /// cannot fail.
  void compact() noexcept {
    auto last = used_;
    for (std::uint32_t at = 0; at < size_; ++at) {
      if (record(at).sequence != 0)
        continue;
      do
        --last;
      while (record(last).sequence == 0);
      record(at) = record(last);
    }
    used_ = static_cast<std::uint32_t>(size_);
    free_ = none;
    chunks_.resize((size_ + chunk_size - 1) / chunk_size);
    auto count = buckets_.size();
    while (count > first_bucket_count && count >= 4 * size_)
      count /= 2;
    buckets_.resize(count);
    buckets_.shrink_to_fit();
    std::ranges::fill(buckets_, none);
    link_all();
  }

  std::vector<std::uint32_t> buckets_;
  std::vector<std::unique_ptr<Record[]>> chunks_;
  std::uint32_t used_ = 0;
  std::uint32_t free_ = none;
  std::size_t size_ = 0;
};

} // namespace mobula
