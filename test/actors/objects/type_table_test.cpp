// Descriptors of types that other nodes name: one for each, for ever, and no more than a bound
// allows.

#include "mobula/actors/objects/type_descriptor.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

using namespace mobula;

TEST_CASE("a type has one descriptor for each codec, wherever its name comes from") {
  type_table types{10'000};
  const auto* first = types.intern(std::string(20, 'x'), codec_id::raw);
  REQUIRE(first != nullptr);
  CHECK(first->name == std::string(20, 'x'));
  CHECK(first->codec == codec_id::raw);
  CHECK(types.intern(std::string(20, 'x'), codec_id::raw) == first);
  CHECK(types.intern(std::string(20, 'x'), codec_id::cereal_binary) != first);
}

TEST_CASE("names of other nodes are kept up to a bound, and known ones found beyond it") {
  type_table types{3 * (type_table::fixed_bytes + 2)};
  const auto* first = types.intern("t1", codec_id::raw);
  CHECK(types.intern("t2", codec_id::raw) != nullptr);
  CHECK(types.intern("t3", codec_id::raw) != nullptr);
  CHECK(types.intern("t4", codec_id::raw) == nullptr);
  CHECK(types.intern("t1", codec_id::raw) == first);
}

TEST_CASE("descriptors stay as they are while other threads ask for them") {
  type_table types{1U << 20U};
  const auto* known = types.intern("known", codec_id::raw);
  std::atomic<bool> done = false;
  std::thread asker{[&] {
    for (int round = 0; round < 10'000; ++round)
      CHECK(types.intern("known", codec_id::raw) == known);
    done = true;
  }};
  // Without the table's mutex, as who was given it.
  while (!done)
    CHECK(known->name == "known");
  asker.join();
}
