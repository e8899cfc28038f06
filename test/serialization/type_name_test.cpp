// Names of types, which must be the same in every process and for every compiler.

#include "mobula/serialization/type_name.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace example {

struct plain {};

enum class colour { red };

template <class... Ts>
struct box {};

struct renamed {};

template <class T>
struct handle {};

template <class T>
struct outer {
  template <class U>
  struct inner {};

  struct plain {
    template <class U>
    struct inner {};
  };
};

template <char>
struct letter {};

namespace {

struct hidden {};

} // namespace

} // namespace example

template <>
struct mobula::type_name_of<example::renamed> {
  static constexpr std::string_view value = "my.app.type";
};

template <class T>
struct mobula::type_name_of<example::handle<T>> {
  static std::string value() {
    return "handle of " + std::string{type_name<T>()};
  }
};

using namespace mobula;

TEST_CASE("integers are named by their width") {
  CHECK(type_name<std::int8_t>() == "int8");
  CHECK(type_name<std::uint16_t>() == "uint16");
  CHECK(type_name<int>() == "int32");
  CHECK(type_name<std::uint64_t>() == "uint64");
  CHECK(type_name<long>() == type_name<long long>());
}

TEST_CASE("the other fundamental types have fixed names") {
  CHECK(type_name<bool>() == "bool");
  CHECK(type_name<char>() == "char");
  CHECK(type_name<float>() == "float32");
  CHECK(type_name<double>() == "float64");
  CHECK(type_name<std::byte>() == "byte");
  CHECK(type_name<std::string>() == "string");
  CHECK(type_name<bytes>() == "bytes");
}

TEST_CASE("containers are named with their elements and nothing else") {
  CHECK(type_name<std::vector<int>>() == "vector<int32>");
  CHECK(type_name<std::array<int, 3>>() == "array<int32,3>");
  CHECK(type_name<array<float>>() == "array<float32>");
  CHECK(type_name<std::deque<char>>() == "deque<char>");
  CHECK(type_name<std::list<bool>>() == "list<bool>");
  CHECK(type_name<std::set<int, std::greater<>>>() == "set<int32>");
  CHECK(type_name<std::unordered_set<int>>() == "unordered_set<int32>");
  CHECK(type_name<std::map<std::string, double>>() == "map<string,float64>");
  CHECK(type_name<std::unordered_map<int, std::string>>() == "unordered_map<int32,string>");
}

TEST_CASE("compositions are named part by part") {
  CHECK(type_name<std::optional<int>>() == "optional<int32>");
  CHECK(type_name<std::variant<std::monostate, int>>() == "variant<monostate,int32>");
  CHECK(type_name<std::pair<int, std::vector<bool>>>() == "pair<int32,vector<bool>>");
  CHECK(type_name<std::tuple<>>() == "tuple<>");
  CHECK(type_name<std::tuple<int, char>>() == "tuple<int32,char>");
  CHECK(type_name<std::unique_ptr<int>>() == "unique_ptr<int32>");
  CHECK(type_name<std::shared_ptr<std::string>>() == "shared_ptr<string>");
}

TEST_CASE("a type of the user has the name it has in the source") {
  CHECK(type_name<example::plain>() == "example::plain");
  CHECK(type_name<example::colour>() == "example::colour");
  CHECK(type_name<std::vector<example::plain>>() == "vector<example::plain>");
}

TEST_CASE("a template of the user is named with its arguments") {
  CHECK(type_name<example::box<int, std::string>>() == "example::box<int32,string>");
  CHECK(type_name<example::box<example::box<>>>() == "example::box<example::box<>>");
}

TEST_CASE("a template within a template is named with what it is in") {
  using example::outer;
  CHECK(type_name<outer<int>::inner<double>>() == "example::outer<int>::inner<float64>");
  CHECK(type_name<outer<int>::inner<double>>() != type_name<outer<double>>());
  CHECK(type_name<outer<int>::inner<double>>() != type_name<outer<char>::inner<double>>());
  CHECK(type_name<outer<char>::plain::inner<int>>() == "example::outer<char>::plain::inner<int32>");
}

TEST_CASE("a template within one of a type that only this process knows is known to it alone") {
  CHECK(is_name_of_process(type_name<example::outer<example::hidden>::inner<double>>()));
  CHECK_FALSE(is_name_of_process(type_name<example::outer<int>::inner<double>>()));
}

TEST_CASE("a template is told from its arguments, whatever characters those have") {
  CHECK(
    type_name<example::box<example::letter<'<'>>>().starts_with("example::box<example::letter"));
  CHECK(
    type_name<example::box<example::letter<'>'>>>().starts_with("example::box<example::letter"));
  CHECK(type_name<example::box<example::letter<'>'>>>() != type_name<example::box<>>());
}

TEST_CASE("a user gives a type a name by specialisation") {
  CHECK(type_name<example::renamed>() == "my.app.type");
  CHECK(type_name<std::optional<example::renamed>>() == "optional<my.app.type>");
}

TEST_CASE("a partial specialisation builds its name from that of its argument") {
  CHECK(type_name<example::handle<std::vector<int>>>() == "handle of vector<int32>");
}

TEST_CASE("a name is computed once") {
  CHECK(type_name<std::vector<int>>().data() == type_name<std::vector<int>>().data());
  CHECK(type_name<const int>() == type_name<int>());
}
