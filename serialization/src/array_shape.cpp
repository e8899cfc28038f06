// Checks the extents of an array's shape. Their product must be countable even where one of them is
// 0, since readers multiply them in any order.

#include "mobula/serialization/array_shape.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

namespace {

constexpr auto max_elements = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

[[noreturn]] void refuse(std::string message) {
  throw object_error{{.type = error_type::invalid_argument, .message = std::move(message)}};
}

} // namespace

array_shape::array_shape(std::span<const std::uint64_t> extents) {
  if (extents.size() > max_dimensions)
    refuse(
      fmt::format("a shape of {} dimensions has more than {}", extents.size(), max_dimensions));
  if (!valid(extents))
    refuse(fmt::format("a shape of {} has more elements than the {} that can be counted",
                       fmt::join(extents, " x "), max_elements));
  std::ranges::copy(extents, extents_.begin());
  dimensions_ = extents.size();
  elements_ = extents.empty() ? 0 : 1;
  for (auto extent : extents)
    elements_ *= extent;
}

array_shape::array_shape(std::initializer_list<std::uint64_t> extents)
  : array_shape(std::span<const std::uint64_t>{extents.begin(), extents.size()}) {
  // nop
}

bool array_shape::valid(std::span<const std::uint64_t> extents) noexcept {
  if (extents.size() > max_dimensions)
    return false;
  std::uint64_t product = 1;
  for (auto extent : extents) {
    if (extent > max_elements / product)
      return false;
    product *= std::max<std::uint64_t>(extent, 1);
  }
  return true;
}

std::string to_string(const array_shape& shape) {
  return fmt::format("{}", fmt::join(shape.extents(), " x "));
}

void require_shape(const array_shape& shape, std::uint64_t elements) {
  if (shape.dimensions() == 0)
    refuse(fmt::format("an array of {} needs a shape of at least one dimension",
                       counted(elements, "element")));
  if (shape.elements() != elements)
    refuse(fmt::format("the shape {} of an array stands for {}, but it has {}", to_string(shape),
                       counted(shape.elements(), "element"), elements));
}

} // namespace mobula
