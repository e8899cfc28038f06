// Values and arrays that are large enough to lie in the store.

#include "one_node.hpp"

#include <numeric>
#include <type_traits>

using namespace mobula;

TEST_CASE_FIXTURE(one_node, "a large value lives in a shard and is read from there") {
  auto ref = node.put(std::string(200'000, 'x'));
  CHECK(node.stats().stored == object_count{1, 200'000});
  CHECK(node.stats().resident == object_count{1, 200'000});
  CHECK(node.get(ref)->size() == 200'000);
  CHECK(node.stats().pinned == object_count{});
  auto view = node.get(ref);
  CHECK(node.stats().pinned == object_count{1, 200'000});
}

TEST_CASE_FIXTURE(one_node, "an array is filled in place and read in place") {
  auto builder = node.create<array<double>>(100'000);
  std::iota(builder.elements().begin(), builder.elements().end(), 0.0);
  const auto* written_to = builder.data();
  auto ref = builder.seal();
  auto view = node.get(ref);
  CHECK(view->data() == written_to);
  CHECK((*view)[99'999] == 99'999.0);
  CHECK(reinterpret_cast<std::uintptr_t>(view->data()) % 64 == 0);
}

TEST_CASE_FIXTURE(one_node, "a small array lives inline") {
  auto builder = node.create<array<std::int32_t>>(3);
  builder[0] = 7;
  auto ref = builder.seal();
  CHECK(node.stats().inline_values == object_count{1, 12});
  CHECK(*node.get(ref)->data() == 7);
}

TEST_CASE_FIXTURE(one_node, "an array keeps its shape") {
  auto builder = node.create<array<float>>(array_shape{200, 300});
  builder[200 * 300 - 1] = 4.5F;
  auto view = node.get(builder.seal());
  CHECK(view->shape() == array_shape{200, 300});
  CHECK((*view)(199, 299) == 4.5F);
}

TEST_CASE_FIXTURE(one_node, "raw bytes are filled and read in place") {
  auto builder = node.create<bytes>(200'000);
  builder.elements().back() = std::byte{9};
  auto view = node.get(builder.seal());
  CHECK(view->size() == 200'000);
  CHECK((*view)[199'999] == std::byte{9});
}

TEST_CASE_FIXTURE(one_node, "an object of no bytes is an object") {
  auto ref = node.create<bytes>(0).seal();
  CHECK(node.get(ref)->empty());
  CHECK(node.get(node.put(std::string{}))->empty());
}

TEST_CASE_FIXTURE(one_node, "an unsealed object that is dropped never existed") {
  {
    auto small = node.create<array<int>>(10);
    auto large = node.create<array<int>>(100'000);
  }
  CHECK(node.stats().owned.objects == 0);
  CHECK(node.stats().reserved_bytes == 0);
}

TEST_CASE_FIXTURE(one_node, "a builder is sealed once") {
  auto builder = node.create<array<int>>(10);
  auto ref = builder.seal();
  CHECK(error_of([&] { static_cast<void>(builder.seal()); }) == error_type::invalid_argument);
  CHECK(error_of([&] { static_cast<void>(builder.elements()); }) == error_type::invalid_argument);
}

// There is none that was moved from and would have to say what it is then.
static_assert(!std::is_move_constructible_v<object_builder<bytes>>);
static_assert(!std::is_move_assignable_v<object_builder<bytes>>);
static_assert(!std::is_move_constructible_v<object_builder<array<int>>>);
static_assert(!std::is_move_assignable_v<object_builder<array<int>>>);

TEST_CASE_FIXTURE(one_node, "a sealed builder knows its size, and hands out no elements") {
  // Small and large, in the heap and in the store.
  for (std::size_t count : {10, 200'000}) {
    auto raw = node.create<bytes>(count);
    auto numbers = node.create<array<int>>(array_shape{count, 2});
    static_cast<void>(raw.seal());
    static_cast<void>(numbers.seal());
    CHECK(raw.size() == count);
    CHECK(numbers.size() == count * 2);
    CHECK(numbers.shape() == array_shape{count, 2});
    for (const auto& use : std::initializer_list<std::function<void()>>{
           [&] { static_cast<void>(raw.data()); }, [&] { static_cast<void>(numbers.data()); },
           [&] { static_cast<void>(numbers[0]); },
           [&] {
             static_cast<void>(raw.elements());
           }})
      CHECK(error_of(use) == error_type::invalid_argument);
  }
}

TEST_CASE_FIXTURE(one_node, "an array that is put is copied into the store") {
  std::vector<double> numbers(50'000, 1.5);
  auto ref = node.put(array<double>{numbers, array_shape{500, 100}});
  numbers.assign(numbers.size(), 0);
  auto view = node.get(ref);
  CHECK((*view)(499, 99) == 1.5);
}

TEST_CASE_FIXTURE(one_node, "a huge array is refused before any memory is taken") {
  CHECK(error_of([&] { static_cast<void>(node.create<array<double>>(std::size_t{1} << 62U)); })
        == error_type::invalid_argument);
}

TEST_CASE_FIXTURE(one_node, "an object larger than the store is refused at once, with both sizes") {
  auto capacity = node.options().store_size_bytes;
  auto message = message_of([&] { static_cast<void>(node.put(std::string(capacity + 1, 'x'))); });
  CHECK(message.find(std::to_string(capacity + 1)) != std::string::npos);
  CHECK(message.find(std::to_string(capacity)) != std::string::npos);
  CHECK(sim.timers() == 0);
}

TEST_CASE_FIXTURE(one_node, "a stored object that dies before its owner hears of it is freed") {
  for (int count = 0; count < 100; ++count)
    static_cast<void>(node.put(std::string(200'000, 'x')));
  CHECK(node.stats().resident.objects == 0);
}

TEST_CASE_FIXTURE(one_node, "what was lent ahead is part of the space in use") {
  auto ref = node.put(std::string(200'000, 'x'));
  auto stats = node.stats();
  CHECK(stats.lent_bytes > 0);
  CHECK(stats.resident.bytes + stats.reserved_bytes + stats.lent_bytes
        <= stats.store_capacity_bytes);
}
