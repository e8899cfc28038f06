#pragma once

#include <cstdint>

namespace mobula {

/// A place in a program's text: where an object was made. Text of the compiler's, so it lives as
/// long as the code does.
///
/// As the default of a function's last argument, `here()` is the place of the call:
///
///     ObjectRef<T> put(const T& value, const call_site& where = call_site::here());
///
/// A function that makes objects for others takes one in the same way and passes it on. Not
/// `std::source_location`, which clang-tidy's compiler does not have.
struct call_site {
  const char* file = nullptr; ///< as the compiler was told; null: not known
  const char* function = nullptr;
  std::uint32_t line = 0;

  [[nodiscard]] static constexpr call_site here(const char* file = __builtin_FILE(),
                                                const char* function = __builtin_FUNCTION(),
                                                std::uint32_t line = __builtin_LINE()) noexcept {
    return {file, function, line};
  }
};

/// Whether the site of one object is kept, which then stands before its entry in memory.
enum class site_place : std::uint8_t { none, before_entry };

/// Whether a node remembers where in the program its objects were made.
enum class call_site_recording : std::uint8_t { off, on };

} // namespace mobula
