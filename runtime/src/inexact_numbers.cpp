// Finds floating-point numbers that CAF 0.17 would not bring to another node as they are, by
// serializing a message into nothing, so that a simulation refuses what would go wrong on a wire.

#include "mobula/runtime/inexact_numbers.hpp"

#include <cmath>
#include <string_view>

#include <caf/execution_unit.hpp>
#include <caf/serializer.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/runtime/wire_reference.hpp"

namespace mobula::testing {

namespace {

template <class T>
std::string_view kind_of(T number) {
  switch (std::fpclassify(number)) {
    case FP_INFINITE:
      return "an infinity";
    case FP_NAN:
      return "NaN";
    case FP_SUBNORMAL:
      return "a subnormal number";
    case FP_ZERO:
      return std::signbit(number) ? "-0.0" : "";
    default:
      return "";
  }
}

/// A serializer that writes nothing, and stops at the first number of that kind.
class number_probe final : public caf::serializer {
public:
  explicit number_probe(caf::execution_unit* context) : caf::serializer(context) {
    // nop
  }

  caf::error begin_object(std::uint16_t&, std::string&) override {
    return caf::none;
  }

  caf::error end_object() override {
    return caf::none;
  }

  caf::error begin_sequence(std::size_t&) override {
    return caf::none;
  }

  caf::error end_sequence() override {
    return caf::none;
  }

  caf::error apply_raw(std::size_t, void*) override {
    return caf::none;
  }

  /// Kept here, too: CAF forgets the errors of some parts of a message.
  [[nodiscard]] const caf::error& found() const noexcept {
    return found_;
  }

protected:
  caf::error apply_impl(std::int8_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::uint8_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::int16_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::uint16_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::int32_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::uint32_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::int64_t&) override {
    return caf::none;
  }

  caf::error apply_impl(std::uint64_t&) override {
    return caf::none;
  }

  caf::error apply_impl(float& number) override {
    return look_at(number, "float");
  }

  caf::error apply_impl(double& number) override {
    return look_at(number, "double");
  }

  caf::error apply_impl(long double& number) override {
    return look_at(number, "long double");
  }

  caf::error apply_impl(std::string&) override {
    return caf::none;
  }

  caf::error apply_impl(std::u16string&) override {
    return caf::none;
  }

  caf::error apply_impl(std::u32string&) override {
    return caf::none;
  }

private:
  template <class T>
  caf::error look_at(T number, std::string_view type) {
    auto kind = kind_of(number);
    if (kind.empty())
      return caf::none;
    if (!found_)
      found_ =
        to_caf_error({.type = error_type::encode_failed,
                      .message = fmt::format(
                        "a message to another node holds {} in a field of type {}, which CAF "
                        "0.17 does not bring there: {}; give the field the type "
                        "mobula::exact<{}>, or keep such values out of messages",
                        kind, type,
                        std::isinf(number) ? "its I/O thread never comes back from it"
                                           : "another number arrives",
                        type == "float" ? "float" : "double")});
    return found_;
  }

  caf::error found_;
};

} // namespace

caf::error find_inexact_number(caf::execution_unit& context, const caf::message& content) {
  crossing_scope looking_only{crossing_scope::trial_t{}};
  number_probe probe{&context};
  // Other errors are for the real thing to find.
  static_cast<void>(probe(const_cast<caf::message&>(content)));
  return probe.found();
}

} // namespace mobula::testing
