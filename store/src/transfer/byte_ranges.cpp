// Keeps a set of bytes as ranges that never touch each other: adding merges them, removing splits
// them.

#include "mobula/store/transfer/byte_ranges.hpp"

#include <algorithm>
#include <iterator>

namespace mobula {

void byte_ranges::add(byte_range range) {
  if (range.begin >= range.end)
    return;
  auto next = ends_.upper_bound(range.begin);
  if (next != ends_.begin()) {
    auto before = std::prev(next);
    if (before->second >= range.begin)
      next = before;
  }
  while (next != ends_.end() && next->first <= range.end) {
    range.begin = std::min(range.begin, next->first);
    range.end = std::max(range.end, next->second);
    total_bytes_ -= next->second - next->first;
    next = ends_.erase(next);
  }
  ends_.emplace_hint(next, range.begin, range.end);
  total_bytes_ += range.size();
}

void byte_ranges::add(const byte_ranges& others) {
  for (const auto& [begin, end] : others.ends_)
    add({begin, end});
}

void byte_ranges::remove(byte_range range) {
  if (range.begin >= range.end)
    return;
  auto next = ends_.upper_bound(range.begin);
  if (next != ends_.begin())
    --next;
  while (next != ends_.end() && next->first < range.end) {
    auto old = byte_range{next->first, next->second};
    if (old.end <= range.begin) {
      ++next;
      continue;
    }
    next = ends_.erase(next);
    total_bytes_ -= old.size();
    add({old.begin, std::min(old.end, range.begin)});
    add({std::max(old.begin, range.end), old.end});
  }
}

byte_range byte_ranges::present_from(std::uint64_t offset) const {
  auto next = ends_.upper_bound(offset);
  if (next == ends_.begin())
    return {offset, offset};
  auto end = std::prev(next)->second;
  return {offset, std::max(offset, end)};
}

byte_range byte_ranges::first_gap(std::uint64_t size_bytes) const {
  auto begin = std::min(present_from(0).end, size_bytes);
  auto next = ends_.upper_bound(begin);
  return {begin, next == ends_.end() ? size_bytes : std::min(next->first, size_bytes)};
}

} // namespace mobula
