// Names of types that only their own process knows.

#include "mobula/serialization/type_name.hpp"

#include <atomic>
#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace mobula {

namespace {

constexpr char mark = '@';

/// Drawn by chance: ids of processes come again, and containers share them.
std::uint64_t number_of_process() {
  static const auto number = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
  }();
  return number;
}

} // namespace

bool is_name_of_process(std::string_view name) noexcept {
  return name.find(mark) != std::string_view::npos;
}

namespace detail {

std::string name_of_process(std::string_view name) {
  static std::atomic<std::uint32_t> names = 0;
  // Compilers write the namespace in their own ways; of the two forms, the shorter is used.
  std::string plain{name};
  if (auto at = plain.find(anonymous_names[1]); at != std::string::npos)
    plain.replace(at, anonymous_names[1].size(), anonymous_names[0]);
  return fmt::format("{}{}{:016x}.{}", plain, mark, number_of_process(),
                     names.fetch_add(1, std::memory_order_relaxed));
}

} // namespace detail

} // namespace mobula
