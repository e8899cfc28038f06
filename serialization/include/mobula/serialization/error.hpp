#pragma once

#include "mobula/serialization/decoded.hpp"
#include "mobula/serialization/error_type.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace mobula {

/// Names where an error happened, as far as that is known.
struct error_origin {
  std::string task{};
  std::string node{};
  std::int64_t process = 0;

  friend bool operator==(const error_origin&, const error_origin&) = default;
};

/// Everything that is known about why an object has no value: the data of an error object.
struct error_info {
  error_type type = error_type::worker_died;
  std::string message{};
  error_origin origin{};
  /// Readable name of the C++ exception's dynamic type; empty when no exception was involved.
  std::string exception_type{};
  /// One line for each frame, innermost first; see `describe_current_exception`.
  std::vector<std::string> stack_trace{};
  /// What this error came from, nearest first.
  std::vector<error_info> causes{};

  friend bool operator==(const error_info&, const error_info&) = default;
};

/// Returns several lines: the error, its origin and stack, then its causes, each level indented.
[[nodiscard]] std::string to_string(const error_info& info);

/// What the blocking API throws for an object that has no value.
class object_error : public std::runtime_error {
public:
  explicit object_error(error_info info);

  [[nodiscard]] const error_info& info() const noexcept {
    return info_;
  }

  [[nodiscard]] error_type type() const noexcept {
    return info_.type;
  }

private:
  error_info info_;
};

/// Describes the exception that is being handled. Its text goes after `message`, the chain of its
/// `std::nested_exception`s and, for an `object_error`, the error it carries become the causes. A
/// chain that would get longer than `error_limits::depth` loses its nearest links instead, so that
/// failures which follow from each other, however many, still name the first one.
///
/// The stack trace is that of the handler: standard C++ has unwound the frames between the throw
/// and the handler before anybody may look at them. It still tells which task or actor ran.
///
/// REQUIRES: the caller is inside of a `catch` block.
[[nodiscard]] error_info describe_current_exception(error_type type, std::string message = {},
                                                    error_origin origin = {});

// -- encoding (docs/formats.md) -------------------------------------------------------------------

/// Bounds of an encoded error. Encoding an error must not fail, so the encoder cuts what is longer;
/// the decoder refuses it.
struct error_limits {
  static constexpr std::size_t text_bytes = std::size_t{1} << 20;
  static constexpr std::size_t frames = 1024;
  static constexpr std::size_t causes = 256;
  static constexpr std::size_t depth = 16; ///< levels of errors, the outermost included
};

[[nodiscard]] std::vector<std::byte> encode(const error_info& info);

/// Inverse of `encode` for what lies within the limits. Never throws on any bytes (short of having
/// no memory), and allocates no more than a small multiple of their number.
decoded<error_info> decode_error_info(std::span<const std::byte> bytes);

} // namespace mobula
