#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/serialization/array.hpp"

namespace mobula {

/// Says that a view that was moved from was read.
[[noreturn]] void throw_moved_from();

/// Whether copies of a `T` show memory that a view keeps in place: `array<T>` and `bytes`. Only the
/// view may hand out such a value.
template <class T>
inline constexpr bool shows_memory_of_view = false;

template <class T>
inline constexpr bool shows_memory_of_view<array<T>> = true;

template <>
inline constexpr bool shows_memory_of_view<bytes> = true;

/// What `*node.get(ref)` copies out of a view that ends with the expression: numbers, enumerations,
/// and plain structs of up to 64 bytes. Copying one takes no allocation and no more time than the
/// read does.
template <class T>
concept small_plain_value = std::is_trivially_copyable_v<T> && sizeof(T) <= 64
                            && !shows_memory_of_view<T>;

/// A reader's handle on the value of an object. While it lives, the value stays where it is,
/// whatever happens to the reference that it came from, to the object or to the node (I3). All
/// views of one object in a process show the same `const T`. Copying one costs two atomic
/// operations.
///
/// *Threads.* As a `std::shared_ptr<const T>`: any thread may use and destroy a view, and several
/// may read one, or copies of it, at the same time; who assigns to a view or moves from it has it
/// alone meanwhile. The value itself is constant, so threads read it together without a lock.
/// Nothing here blocks.
///
/// *Temporaries.* The value is not kept in place any longer than its view is there. So `*` on a
/// view without a name gives a copy of a small plain value, and does not compile for any other.
/// (The compiler cannot tell a view that is part of another temporary: name what `try_get` gives,
/// too.)
///
///     int number = *node.get(numbers);               // a copy
///     auto text = node.get(texts);                   // name the view, then use *text
///     std::string own = node.get(texts).copy();      // or say that a copy is meant
///     auto size = node.get(texts)->size();           // `->` is for use within the expression
template <class T>
class view {
public:
  using value_type = T;

  /// For the runtime's own use: `value` belongs to the object that `pin` pins.
  view(const T& value, pinned_value pin) noexcept : value_(&value), pin_(std::move(pin)) {
    // nop
  }

  /// The other one shows nothing any more: to read it throws `object_error` (`invalid_reference`),
  /// and `get` gives null.
  view(view&& other) noexcept
    : value_(std::exchange(other.value_, nullptr)), pin_(std::move(other.pin_)) {
    // nop
  }

  view& operator=(view&& other) noexcept {
    view taken{std::move(other)};
    std::swap(value_, taken.value_);
    std::swap(pin_, taken.pin_);
    return *this;
  }

  view(const view& other) noexcept : value_(other.value_), pin_(other.pin_.clone()) {
    // nop
  }

  view& operator=(const view& other) noexcept {
    return *this = view{other};
  }

  /// Returns the value. The reference is good for as long as this view shows it.
  [[nodiscard]] const T& operator*() const& {
    require_value();
    return *value_;
  }

  /// Returns a copy, since the view ends with the expression.
  [[nodiscard]] T operator*() const&& requires small_plain_value<T> {
    require_value();
    return *value_;
  }

  /// The view ends with the expression, and then nothing keeps the value in place: give the view a
  /// name (`auto value = node.get(ref);`), or say `copy()`.
  const T& operator*() const&& requires(!small_plain_value<T>) = delete;

  /// Returns a copy of the value, which needs no view.
  [[nodiscard]] T copy() const requires(std::copy_constructible<T> && !shows_memory_of_view<T>) {
    require_value();
    return *value_;
  }

  /// On a view without a name, for use within the expression only.
  [[nodiscard]] const T* operator->() const {
    require_value();
    return value_;
  }

  /// Returns null if the view was moved from.
  [[nodiscard]] const T* get() const& noexcept {
    return value_;
  }

  /// As with `*`: give the view a name.
  const T* get() const&& = delete;

  /// Size of the encoded value in bytes.
  [[nodiscard]] std::size_t size_bytes() const {
    return raw_bytes().size();
  }

  /// The encoded value. The bytes are there for as long as this view shows them.
  [[nodiscard]] std::span<const std::byte> raw_bytes() const& {
    require_value();
    return pin_.value().bytes();
  }

  /// As with `*`: give the view a name.
  std::span<const std::byte> raw_bytes() const&& = delete;

private:
  void require_value() const {
    if (value_ == nullptr) [[unlikely]]
      throw_moved_from();
  }

  const T* value_;
  pinned_value pin_;
};

} // namespace mobula
