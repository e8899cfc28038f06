#pragma once

#include <cassert>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>

namespace mobula {

/// Says why bytes are not what they should be, and at which byte.
struct format_error {
  std::string message;
  std::size_t offset = 0;

  friend bool operator==(const format_error&, const format_error&) = default;
};

/// Returns `<message> at byte <offset>`.
[[nodiscard]] std::string to_string(const format_error& error);

/// What a decoder of untrusted bytes returns: the value, or why there is none. Decoders do not
/// throw, since damaged bytes are an expected input and not a fault of the caller.
template <class T>
class [[nodiscard]] decoded {
public:
  // -- constructors, destructors, and assignment operators ----------------------------------------

  decoded(T value) : content_(std::in_place_index<0>, std::move(value)) {
    // nop
  }

  decoded(format_error error) : content_(std::in_place_index<1>, std::move(error)) {
    // nop
  }

  // -- observers ----------------------------------------------------------------------------------

  [[nodiscard]] bool has_value() const noexcept {
    return content_.index() == 0;
  }

  explicit operator bool() const noexcept {
    return has_value();
  }

  /// REQUIRES: `has_value()`, as do the two below.
  [[nodiscard]] const T& operator*() const& noexcept {
    assert(has_value());
    return *std::get_if<0>(&content_);
  }

  [[nodiscard]] T&& operator*() && noexcept {
    assert(has_value());
    return std::move(*std::get_if<0>(&content_));
  }

  [[nodiscard]] const T* operator->() const noexcept {
    assert(has_value());
    return std::get_if<0>(&content_);
  }

  /// REQUIRES: `!has_value()`.
  [[nodiscard]] const format_error& error() const noexcept {
    assert(!has_value());
    return *std::get_if<1>(&content_);
  }

private:
  std::variant<T, format_error> content_;
};

} // namespace mobula
