// What an `exact` holds arrives as it was, bit by bit, whatever CAF makes of such numbers itself.

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <doctest/doctest.h>

#include <mobula/exact.hpp>

using namespace mobula;

namespace {

using doubles = std::numeric_limits<double>;
using floats = std::numeric_limits<float>;

/// Numbers that CAF 0.17 does not bring to another node as they are, and some that it does.
const std::vector<double> all_kinds{doubles::infinity(),
                                    -doubles::infinity(),
                                    doubles::quiet_NaN(),
                                    std::bit_cast<double>(std::uint64_t{0xfff8'0000'0000'beef}),
                                    -0.0,
                                    0.0,
                                    doubles::denorm_min(),
                                    -doubles::min() / 3,
                                    doubles::min(),
                                    doubles::max(),
                                    0.1};

const std::vector<float> all_small_kinds{floats::infinity(),
                                         -floats::infinity(),
                                         floats::quiet_NaN(),
                                         -0.0F,
                                         floats::denorm_min(),
                                         floats::max(),
                                         0.1F};

bool same_bits(double one, double other) {
  return std::bit_cast<std::uint64_t>(one) == std::bit_cast<std::uint64_t>(other);
}

bool same_bits(float one, float other) {
  return std::bit_cast<std::uint32_t>(one) == std::bit_cast<std::uint32_t>(other);
}

template <class... Ts>
constexpr bool any_written = (exactly_written<Ts> || ...);

/// Whether an `exact` holds a type, or anything that is made of it.
template <class T>
constexpr bool holds = any_written<T, std::vector<T>, std::optional<T>, std::array<T, 2>,
                                   std::pair<T, double>, std::tuple<double, T>>;

/// Writes a value as CAF's network does, and reads it.
template <class T>
T there_and_back(T value) {
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  REQUIRE(!sink(value));
  T result;
  caf::binary_deserializer source{nullptr, bytes};
  REQUIRE(!source(result));
  CHECK(source.remaining() == 0);
  return result;
}

} // namespace

TEST_CASE("an exact number is the same on the other side, bit by bit") {
  for (auto value : all_kinds)
    CHECK(same_bits(there_and_back(exact<double>{value}), value));
  for (auto value : all_small_kinds)
    CHECK(same_bits(there_and_back(exact<float>{value}), value));
}

TEST_CASE("so is what is made of them") {
  auto infinity = doubles::infinity();
  exact<std::vector<double>> row{all_kinds};
  auto arrived = there_and_back(row);
  REQUIRE(arrived->size() == all_kinds.size());
  for (std::size_t index = 0; index < all_kinds.size(); ++index)
    CHECK(same_bits(arrived->at(index), all_kinds[index]));
  CHECK(there_and_back(exact<std::array<float, 2>>{{-1.5F, floats::infinity()}})->at(1)
        == floats::infinity());
  CHECK(there_and_back(exact<std::optional<double>>{std::nullopt}).value == std::nullopt);
  CHECK(there_and_back(exact<std::optional<double>>{infinity}).value == infinity);
  CHECK(there_and_back(exact<std::complex<double>>{{1, -infinity}})->imag() == -infinity);
  using pairs = std::vector<std::pair<int, std::tuple<double, bool>>>;
  CHECK(there_and_back(exact<pairs>{{{-7, {infinity, true}}}}).value
        == pairs{{-7, {infinity, true}}});
  CHECK(there_and_back(exact<std::vector<std::vector<double>>>{{{}, {infinity}}})->at(1).at(0)
        == infinity);
}

TEST_CASE("what cannot be written bit by bit is refused when it is compiled, however deep it is") {
  enum class color : std::uint8_t { red };
  CHECK(exactly_written<std::vector<std::array<std::optional<std::pair<float, color>>, 3>>>);
  CHECK(exactly_written<std::optional<bool>>);
  CHECK_FALSE(holds<std::string>);
  CHECK_FALSE(holds<long double>);
  CHECK_FALSE(holds<std::complex<long double>>);
  CHECK_FALSE(holds<std::complex<int>>);
  CHECK_FALSE(holds<const double>);
  CHECK_FALSE(holds<std::tuple<>>);
  CHECK_FALSE(holds<std::array<double, 0>>);
  // Its elements are no numbers that could be referred to.
  CHECK_FALSE(holds<std::vector<bool>>);
}

TEST_CASE("bytes that hold no such value are refused") {
  std::vector<std::uint64_t> words{3, 1};
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  REQUIRE(!sink(words));
  exact<std::vector<double>> row;
  caf::binary_deserializer source{nullptr, bytes};
  CHECK(source(row));
}

TEST_CASE("an exact value is used and shown like the value") {
  exact<double> speed = 2.5;
  double plain = speed;
  CHECK(plain + *speed == 5);
  CHECK(speed == exact<double>{2.5});
  CHECK(speed == 2.5);
  CHECK(exact<double>{3.0} == 3);
  CHECK(3.0 == exact<double>{3.0});
  CHECK(exact<std::vector<double>>{{1.0}} == std::vector<double>{1.0});
  CHECK(caf::deep_to_string(speed) == caf::deep_to_string(2.5));
}
