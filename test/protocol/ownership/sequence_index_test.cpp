// The hash table for numbers that are given out in order: it finds what is there, keeps addresses,
// and does not keep the memory of what was.

#include "mobula/actors/protocol/ownership/sequence_index.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace mobula;

namespace {

struct record {
  std::uint64_t sequence = 0;
  std::uint64_t value = 0;
  std::uint32_t next = 0;
};

} // namespace

TEST_CASE("an empty index finds nothing") {
  sequence_index<record> index;
  CHECK(index.find(1) == nullptr);
  CHECK(index.size() == 0);
}

TEST_CASE("a record is found until it is erased") {
  sequence_index<record> index;
  index.insert(5).value = 50;
  REQUIRE(index.find(5) != nullptr);
  CHECK(index.find(5)->value == 50);
  index.erase(5);
  CHECK(index.find(5) == nullptr);
}

TEST_CASE("erased records are used again, the latest first, and as new ones") {
  sequence_index<record> index;
  auto* first = &index.insert(1);
  auto* second = &index.insert(2);
  second->value = 50;
  index.erase(1);
  index.erase(2);
  CHECK(&index.insert(3) == second);
  CHECK(second->value == 0);
  CHECK(&index.insert(4) == first);
}

TEST_CASE("records keep their addresses while the index grows") {
  sequence_index<record> index;
  auto* first = &index.insert(1);
  for (std::uint64_t sequence = 2; sequence < 100'000; ++sequence)
    index.insert(sequence);
  CHECK(index.find(1) == first);
}

TEST_CASE("survivors at a regular distance are all found") {
  sequence_index<record> index;
  constexpr std::uint64_t distance = 4096;
  for (std::uint64_t count = 1; count < 20'000; ++count)
    index.insert(count * distance).value = count;
  for (std::uint64_t count = 1; count < 20'000; ++count)
    CHECK(index.find(count * distance)->value == count);
}

TEST_CASE("an index that was large does not keep its memory") {
  sequence_index<record> index;
  constexpr std::uint64_t many = 1'000'000;
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t sequence = 1; sequence <= many; ++sequence)
      index.insert(sequence).value = sequence;
    CHECK(index.capacity() >= many);
    for (std::uint64_t sequence = 1; sequence <= many; ++sequence)
      index.erase(sequence);
    CHECK(index.size() == 0);
    CHECK(index.capacity() <= 4096);
  }
}

TEST_CASE("few survivors among many keep memory for few, and are found") {
  sequence_index<record> index;
  constexpr std::uint64_t many = 200'000;
  constexpr std::uint64_t distance = 997;
  for (std::uint64_t sequence = 1; sequence <= many; ++sequence)
    index.insert(sequence).value = sequence;
  std::size_t survivors = 0;
  for (std::uint64_t sequence = 1; sequence <= many; ++sequence)
    if (sequence % distance == 0)
      ++survivors;
    else
      index.erase(sequence);
  CHECK(index.size() == survivors);
  CHECK(index.capacity() <= 8 * 1024);
  for (auto sequence = distance; sequence <= many; sequence += distance) {
    REQUIRE(index.find(sequence) != nullptr);
    CHECK(index.find(sequence)->value == sequence);
  }
  CHECK(index.find(1) == nullptr);
  std::size_t seen = 0;
  index.for_each([&](const record&) { ++seen; });
  CHECK(seen == survivors);
}

TEST_CASE("the index agrees with an ordered map while it swells and shrinks") {
  std::mt19937_64 random{7};
  sequence_index<record> index;
  std::map<std::uint64_t, std::uint64_t> model;
  std::uint64_t last = 0;
  for (std::size_t goal : {20'000, 1'000, 30'000, 3, 10'000, 0}) {
    while (model.size() < goal) {
      ++last;
      index.insert(last).value = last * 3;
      model.emplace(last, last * 3);
    }
    while (model.size() > goal) {
      auto victim = model.lower_bound(random() % (last + 1));
      if (victim == model.end())
        victim = model.begin();
      index.erase(victim->first);
      model.erase(victim);
    }
    REQUIRE(index.size() == model.size());
    for (const auto& [sequence, value] : model) {
      REQUIRE(index.find(sequence) != nullptr);
      REQUIRE(index.find(sequence)->value == value);
    }
  }
}

TEST_CASE("the index agrees with an ordered map after any sequence of operations") {
  std::mt19937_64 random{3};
  sequence_index<record> index;
  std::map<std::uint64_t, std::uint64_t> model;
  for (int step = 0; step < 200'000; ++step) {
    auto sequence = 1 + random() % 5000;
    if (auto known = model.find(sequence); known != model.end()) {
      REQUIRE(index.find(sequence)->value == known->second);
      index.erase(sequence);
      model.erase(known);
    } else {
      auto value = random();
      REQUIRE(index.find(sequence) == nullptr);
      index.insert(sequence).value = value;
      model.emplace(sequence, value);
    }
  }
  REQUIRE(index.size() == model.size());
  std::size_t seen = 0;
  index.for_each([&](const record& entry) {
    ++seen;
    CHECK(model.at(entry.sequence) == entry.value);
  });
  CHECK(seen == model.size());
}
