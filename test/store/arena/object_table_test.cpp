// The table by which other processes find a shard's objects: which slot an object gets, and when it
// gives it back.

#include "mobula/store/arena/object_table.hpp"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "table_fixture.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr reader_index reader{7};
constexpr reader_index other_reader{8};

} // namespace

TEST_CASE_FIXTURE(table_fixture, "a published object is at its home, described byte by byte") {
  auto slot = publish(5);
  CHECK(static_cast<std::uint64_t>(slot) == home_slot(5, slots));
  CHECK(shared(slot).word.open());
  CHECK(shared(slot).id() == object(5));
  CHECK(shared(slot).place() == place(5));
  CHECK(table.stats().used_slots == 1);
  CHECK(table.stats().capacity == slots);
}

TEST_CASE_FIXTURE(table_fixture, "objects with the same home fill its window, and no more") {
  auto sequences = neighbours(slot_window + 1, slots);
  auto last = sequences.back();
  sequences.pop_back();
  for (auto sequence : sequences)
    publish(sequence);
  CHECK(table.publish(object(last), place(0)) == no_slot);
  CHECK(table.stats().publish_misses == 1);
  CHECK(table.stats().used_slots == slot_window);
}

TEST_CASE_FIXTURE(table_fixture, "a withdrawn object's slot takes the next one of its window") {
  auto sequences = neighbours(slot_window + 1, slots);
  auto slot = publish(sequences.front());
  for (std::size_t i = 1; i < slot_window; ++i)
    publish(sequences[i]);
  CHECK(table.try_withdraw(slot) == reclaim_result::reclaimed);
  CHECK(publish(sequences.back()) == slot);
  CHECK(shared(slot).id() == object(sequences.back()));
}

TEST_CASE_FIXTURE(table_fixture, "a table smaller than a window takes as many as it has slots") {
  auto small = create(layout(second_node, {.size_bytes = 1U << 20, .slots_per_shard = 2}));
  object_table two{small, 0};
  arena_place nowhere{{small.layout().heap.offset, 0}};
  CHECK(two.publish(object(1), nowhere) != no_slot);
  CHECK(two.publish(object(2), nowhere) != no_slot);
  CHECK(two.publish(object(3), nowhere) == no_slot);
}

TEST_CASE_FIXTURE(table_fixture, "a home says which of its neighbours hold its objects") {
  auto home = slot_handle{static_cast<std::uint32_t>(home_slot(1, slots))};
  auto sequences = neighbours(3, slots);
  auto first = publish(sequences[0]);
  publish(sequences[1]);
  publish(sequences[2]);
  CHECK(shared(home).neighbours == 0b111);
  REQUIRE(table.try_withdraw(first) == reclaim_result::reclaimed);
  CHECK(shared(home).neighbours == 0b110);
}

TEST_CASE_FIXTURE(table_fixture, "shards write to parts of their own") {
  auto wide = create(layout(second_node));
  object_table left{wide, 0};
  object_table right{wide, 1};
  auto at = [&](std::size_t shard) {
    return arena_place{{wide.layout().heap.offset + shard * 64, 1}, 1};
  };
  CHECK(left.publish(object(9), at(0)) == right.publish(object(9), at(1)));
  CHECK(left.stats().used_slots == 1);
  CHECK(right.stats().used_slots == 1);
}

TEST_CASE_FIXTURE(table_fixture, "a pinned object keeps its slot, and its last reader reports") {
  auto slot = publish(1);
  REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.try_withdraw(slot) == reclaim_result::pinned);
  CHECK(table.stats().used_slots == 1);
  CHECK(shared(slot).word.unpin(reader) == unpin_result::tell_shard);
  CHECK(table.try_withdraw(slot) == reclaim_result::reclaimed);
  CHECK(table.stats().used_slots == 0);
}

TEST_CASE_FIXTURE(table_fixture, "a doomed slot is not used again before its last reader went") {
  auto slot = publish(1);
  REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.doom(slot) == reclaim_result::pinned);
  CHECK(publish(1) != slot);
  CHECK(shared(slot).word.unpin(reader) == unpin_result::tell_shard);
  CHECK(table.doom(slot) == reclaim_result::reclaimed);
  CHECK(table.stats().used_slots == 1);
}

TEST_CASE_FIXTURE(table_fixture, "a doomed slot that was looked at stays doomed") {
  auto slot = publish(1);
  REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.doom(slot) == reclaim_result::pinned);
  CHECK(table.look(slot) == pin_state::pinned);
  shared(slot).word.drop_dead(set_of(reader));
  CHECK(table.look(slot) == pin_state::idle);
  CHECK(table.drained() == std::vector{object(1)});
  CHECK(table.drained() == std::vector{object(1)});
}

TEST_CASE_FIXTURE(table_fixture, "a slot that was looked at without readers is awaited no more") {
  auto slot = publish(1);
  REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.look(slot) == pin_state::pinned);
  CHECK(shared(slot).word.unpin(reader) == unpin_result::tell_shard);
  CHECK(table.look(slot) == pin_state::idle);
  CHECK(table.drained().empty());
}

TEST_CASE_FIXTURE(table_fixture, "each process that has an object pinned is counted") {
  auto slot = publish(1);
  CHECK(table.count_readers(slot) == 0);
  CHECK_FALSE(table.has_readers());
  REQUIRE(shared(slot).word.try_pin(reader));
  REQUIRE(shared(slot).word.try_pin(other_reader));
  CHECK(table.count_readers(slot) == 2);
  CHECK(static_cast<std::uint64_t>(table.readers_of(slot)) == (1U << 7U | 1U << 8U));
  CHECK(table.has_readers());
}

TEST_CASE_FIXTURE(table_fixture, "the mark of a read is taken once") {
  auto slot = publish(1);
  CHECK_FALSE(table.take_read_mark(slot));
  shared(slot).mark_read();
  CHECK(table.take_read_mark(slot));
  CHECK_FALSE(table.take_read_mark(slot));
}

TEST_CASE_FIXTURE(table_fixture, "a slot's next object has not been read") {
  auto slot = publish(1);
  shared(slot).mark_read();
  REQUIRE(table.try_withdraw(slot) == reclaim_result::reclaimed);
  REQUIRE(publish(1) == slot);
  CHECK_FALSE(table.take_read_mark(slot));
}

TEST_CASE_FIXTURE(table_fixture, "after a death the awaited objects without readers are told") {
  auto watched = publish(1);
  auto doomed = publish(2);
  auto unasked = publish(3);
  for (auto slot : {watched, doomed, unasked})
    REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.look(watched) == pin_state::pinned);
  CHECK(table.doom(doomed) == reclaim_result::pinned);
  CHECK(table.drained().empty());
  for (auto slot : {watched, doomed, unasked})
    shared(slot).word.drop_dead(set_of(reader));
  auto drained = table.drained();
  std::ranges::sort(drained);
  CHECK(drained == std::vector{object(1), object(2)});
  CHECK(table.doom(doomed) == reclaim_result::reclaimed);
  CHECK(table.drained().empty());
}

TEST_CASE_FIXTURE(table_fixture, "a report lost with its reader is made good by the next one") {
  auto slot = publish(1);
  REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.try_withdraw(slot) == reclaim_result::pinned);
  // The reader dies before it can send what it was told to.
  CHECK(shared(slot).word.unpin(reader) == unpin_result::tell_shard);
  REQUIRE(shared(slot).word.try_pin(other_reader));
  CHECK(table.drained().empty());
  CHECK(shared(slot).word.unpin(other_reader) == unpin_result::tell_shard);
}

TEST_CASE_FIXTURE(table_fixture, "what strangers write into an unused slot keeps it unused") {
  auto home = slot_handle{static_cast<std::uint32_t>(home_slot(1, slots))};
  shared(home).word.publish();
  CHECK(publish(1) != home);
  CHECK(table.stats().used_slots == 1);
}

TEST_CASE_FIXTURE(table_fixture, "only slots whose readers will report are looked through") {
  auto watched = publish(1);
  auto doomed = publish(2);
  CHECK(table.stats().awaited == 0);
  for (auto slot : {watched, doomed})
    REQUIRE(shared(slot).word.try_pin(reader));
  CHECK(table.look(watched) == pin_state::pinned);
  CHECK(table.doom(doomed) == reclaim_result::pinned);
  CHECK(table.look(doomed) == pin_state::pinned);
  CHECK(table.stats().awaited == 2);
  for (auto slot : {watched, doomed})
    shared(slot).word.drop_dead(set_of(reader));
  CHECK(table.drained().size() == 2);
  CHECK(table.stats().awaited == 1);
  CHECK(table.try_withdraw(watched) == reclaim_result::reclaimed);
  CHECK(table.doom(doomed) == reclaim_result::reclaimed);
  CHECK(table.stats().awaited == 0);
}
