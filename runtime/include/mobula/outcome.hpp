#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "mobula/object_ref.hpp"
#include "mobula/view.hpp"

namespace mobula {

/// What became of one element of a `get_all`: a value, an error, or nothing yet.
template <class T>
class outcome {
public:
  /// Makes a pending outcome.
  outcome() noexcept = default;

  outcome(view<T> value) : content_(std::move(value)) {
    // nop
  }

  outcome(error_info error) : content_(std::move(error)) {
    // nop
  }

  [[nodiscard]] bool has_value() const noexcept {
    return std::holds_alternative<view<T>>(content_);
  }

  [[nodiscard]] bool has_error() const noexcept {
    return std::holds_alternative<error_info>(content_);
  }

  /// Returns whether the timeout came first.
  [[nodiscard]] bool pending() const noexcept {
    return std::holds_alternative<std::monostate>(content_);
  }

  /// REQUIRES: `has_value()`. Throws `std::bad_variant_access` otherwise, as do those below.
  [[nodiscard]] const view<T>& value() const {
    return std::get<view<T>>(content_);
  }

  [[nodiscard]] const T& operator*() const {
    return *value();
  }

  [[nodiscard]] const T* operator->() const {
    return value().get();
  }

  /// REQUIRES: `has_error()`.
  [[nodiscard]] const error_info& error() const {
    return std::get<error_info>(content_);
  }

private:
  std::variant<std::monostate, view<T>, error_info> content_;
};

/// Outcomes in the order of the references.
template <class T>
using outcomes = std::vector<outcome<T>>;

/// What `wait` found: both lists in the order of the references that it was given.
template <class T>
struct wait_result {
  /// References to objects that have a value or an error: at most as many as were asked for.
  std::vector<ObjectRef<T>> ready;

  /// All other references.
  std::vector<ObjectRef<T>> pending;
};

} // namespace mobula
