// Very many small objects that live side by side, and ways to replace them.

#include "population.hpp"

#include <utility>

#include <malloc.h>

namespace mobula::bench {

namespace {

/// Exchanges `others` with as many elements of `members` from `oldest` on, as a ring. Returns the
/// position after the last.
template <class T>
std::size_t exchange_oldest(std::vector<T>& members, std::vector<T>& others, std::size_t oldest) {
  for (auto& other : others) {
    std::swap(members[oldest], other);
    oldest = (oldest + 1) % members.size();
  }
  return oldest;
}

} // namespace

void object_population::fill(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    members_.push_back(node_.put(member{i}));
  settle(node_);
}

void object_population::drain() {
  members_.clear();
  oldest_ = 0;
  settle(node_);
}

void object_population::replace_oldest(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    others_.push_back(node_.put(member{i}));
  settle(node_);
  oldest_ = exchange_oldest(members_, others_, oldest_);
  others_.clear();
  settle(node_);
}

void pointer_population::fill(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    members_.push_back(std::make_shared<const member>(member{i}));
}

void pointer_population::drain() {
  members_.clear();
  oldest_ = 0;
}

void pointer_population::replace_oldest(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    others_.push_back(std::make_shared<const member>(member{i}));
  oldest_ = exchange_oldest(members_, others_, oldest_);
  others_.clear();
}

std::size_t heap_bytes() noexcept {
  const auto heap = ::mallinfo2();
  // Large blocks have mappings of their own, which are counted apart.
  return heap.uordblks + heap.hblkhd;
}

void release_free_memory() noexcept {
  ::malloc_trim(0);
}

} // namespace mobula::bench
