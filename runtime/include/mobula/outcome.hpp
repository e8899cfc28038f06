#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "mobula/object_ref.hpp"
#include "mobula/view.hpp"

namespace mobula {

/// What `outcome` throws. The error is null if there is none.
[[noreturn]] void throw_without_value(const error_info* error);
[[noreturn]] void throw_without_error();
[[noreturn]] void throw_handler_attached();
[[noreturn]] void throw_request_moved_from();

/// What became of one element of a `get_all`: a value, an error, or nothing yet. Does not change
/// any more: one that is pending stays so.
///
/// *Threads.* As its view: any thread may use and destroy one, and several may read it at the same
/// time; who assigns to it or moves from it has it alone meanwhile. Nothing here blocks.
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

  /// Throws `object_error` if there is no value, as do the next two: the object's own error, or
  /// `get_timed_out` if it is pending.
  [[nodiscard]] const view<T>& value() const& {
    if (const auto* value = std::get_if<view<T>>(&content_)) [[likely]]
      return *value;
    throw_without_value(std::get_if<error_info>(&content_));
  }

  /// The same of an outcome without a name, which ends with the expression.
  [[nodiscard]] view<T> value() const&& {
    return value();
  }

  [[nodiscard]] const T& operator*() const& {
    return *value();
  }

  /// As with `view`: a copy of what is small and plain; give anything else a name.
  [[nodiscard]] T operator*() const&& requires small_plain_value<T> {
    return *value();
  }

  const T& operator*() const&& requires(!small_plain_value<T>) = delete;

  [[nodiscard]] const T* operator->() const {
    return value().operator->();
  }

  /// Throws `object_error` (`invalid_argument`) if there is no error.
  [[nodiscard]] const error_info& error() const {
    if (const auto* error = std::get_if<error_info>(&content_))
      return *error;
    throw_without_error();
  }

private:
  std::variant<std::monostate, view<T>, error_info> content_;
};

/// Outcomes in the order of the references.
template <class T>
using outcomes = std::vector<outcome<T>>;

/// What `wait` found: both lists in the order of the references that it was given. Plain data, of
/// which a thread has its own copy, or which several only read.
template <class T>
struct wait_result {
  /// References to objects that have a value or an error, or that cannot be read now: at most as
  /// many as were asked for.
  std::vector<ObjectRef<T>> ready;

  /// All other references.
  std::vector<ObjectRef<T>> pending;
};

} // namespace mobula
