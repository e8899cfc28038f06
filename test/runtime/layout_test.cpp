// Raw bytes are read as the structure that was written, or not at all.

#include "one_node.hpp"

using namespace mobula;

namespace first_program {

struct point {
  double x = 0;
  double y = 0;
};

} // namespace first_program

namespace second_program {

/// Larger than what the first program calls by this name.
struct point {
  double x = 0;
  double y = 0;
  double z = 0;
};

} // namespace second_program

namespace third_program {

/// As large as what the first program calls by this name.
struct point {
  std::int64_t x = 0;
  std::int64_t y = 0;
};

} // namespace third_program

template <>
struct mobula::type_name_of<first_program::point> {
  static constexpr std::string_view value = "program.point";
};

template <>
struct mobula::type_name_of<second_program::point> {
  static constexpr std::string_view value = "program.point";
};

template <>
struct mobula::type_name_of<third_program::point> {
  static constexpr std::string_view value = "program.point";
};

namespace {

struct hidden {
  int number = 0;
};

/// Returns what comes of reading `ref` as a `T`.
template <class T, class U>
error_info error_of_reading(const node& on, const ObjectRef<U>& ref) {
  auto result = on.try_get(ObjectRef<T>{ref.handle()});
  REQUIRE_FALSE(result);
  return to_error_info(result.error());
}

/// Makes an object of a few raw bytes that are said to be a `T`.
template <class T>
ObjectRef<T> bytes_called(const node& on, std::size_t size) {
  entry_draft draft{on.core(), size, descriptor_of<T, codec_id::raw>(), call_site::here()};
  draft.publish_inline(size, nullptr, on.core().heap_of_values().take_anyway(size));
  return ObjectRef<T>{draft.announce()};
}

/// Two nodes that read each other's values as `reading` says.
struct two_programs {
  testing::simulation sim;
  mobula::node* home = nullptr;
  mobula::node* away = nullptr;

  explicit two_programs(reading_in_place reading) {
    auto options = sim.default_options();
    options.same_host_reading = reading;
    home = &sim.add_node(options);
    away = &sim.add_node(options);
    sim.connect_all();
    sim.run();
  }

  /// Reads what `home` has under a name as a `T` of the other node.
  template <class T>
  caf::expected<view<T>> read_away(const std::string& name) {
    return away->try_get(away->lookup<T>(name));
  }
};

} // namespace

TEST_CASE_FIXTURE(one_node, "a structure is not read as a larger one of the same name") {
  auto ref = node.put(first_program::point{1, 2});
  auto error = error_of_reading<second_program::point>(node, ref);
  CHECK(error.type == error_type::type_mismatch);
  CHECK(error.message.find("program.point") != std::string::npos);
  CHECK(error.message.find("16 bytes") != std::string::npos);
  CHECK(error.message.find("24 bytes") != std::string::npos);
  CHECK(node.get(ref)->y == 2);
}

TEST_CASE_FIXTURE(one_node, "a structure is not read as one of other members of the same name") {
  auto ref = node.put(first_program::point{1, 2});
  CHECK(error_of_reading<third_program::point>(node, ref).type == error_type::type_mismatch);
}

TEST_CASE_FIXTURE(one_node, "elements are not read as others of the same name") {
  auto ref = node.put(std::vector<first_program::point>(3));
  CHECK(error_of_reading<std::vector<third_program::point>>(node, ref).type
        == error_type::type_mismatch);
  CHECK(error_of_reading<array<second_program::point>>(
          node, node.create<array<first_program::point>>(6).seal())
          .type
        == error_type::type_mismatch);
}

TEST_CASE_FIXTURE(one_node, "raw bytes of another size than the type's are not read") {
  for (std::size_t size : {0, 1, 3, 5, 8}) {
    auto error = error_of_reading<int>(node, bytes_called<int>(node, size));
    CHECK(error.type == error_type::type_mismatch);
  }
}

TEST_CASE("another node's structure is not read as another one of the same name") {
  for (auto reading : {reading_in_place::automatic, reading_in_place::off})
    for (std::size_t count : {3, 100'000}) {
      two_programs nodes{reading};
      nodes.home->publish("points", nodes.home->put(std::vector<first_program::point>(count)));
      nodes.sim.run();
      auto wrong = nodes.read_away<std::vector<third_program::point>>("points");
      REQUIRE_FALSE(wrong);
      CHECK(to_error_info(wrong.error()).type == error_type::type_mismatch);
      auto right = nodes.read_away<std::vector<first_program::point>>("points");
      REQUIRE(right);
      CHECK((*right)->size() == count);
    }
}

TEST_CASE_FIXTURE(one_node, "a type of an anonymous namespace is read on its own node") {
  CHECK(node.get(node.put(hidden{7}))->number == 7);
}

TEST_CASE_FIXTURE(one_node, "a type of an anonymous namespace has a name of its process") {
  CHECK(type_name<hidden>().starts_with("{anonymous}::hidden@"));
  CHECK(type_name<std::vector<hidden>>() == "vector<" + std::string{type_name<hidden>()} + ">");
  auto error = error_of_reading<int>(node, node.put(hidden{7}));
  CHECK(error.message.find("known to its own process only") != std::string::npos);
}
