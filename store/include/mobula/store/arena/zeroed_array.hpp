#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace mobula {

/// An array of fixed size that starts as zeros, of a type for which zeros are a good start. A large
/// one takes memory page by page as it is written, where a vector would write all of it at once.
template <class T>
class zeroed_array {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
  explicit zeroed_array(std::size_t size)
    : items_(static_cast<T*>(std::calloc(size, sizeof(T)))), size_(size) {
    if (items_ == nullptr && size > 0)
      throw std::bad_alloc{};
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] T& operator[](std::size_t index) noexcept {
    return items_.get()[index];
  }

  [[nodiscard]] const T& operator[](std::size_t index) const noexcept {
    return items_.get()[index];
  }

private:
  struct releaser {
    void operator()(T* items) const noexcept {
      std::free(items);
    }
  };

  std::unique_ptr<T, releaser> items_;
  std::size_t size_;
};

} // namespace mobula
