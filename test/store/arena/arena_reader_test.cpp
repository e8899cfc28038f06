// What a reader finds in another process's arena, what it pins, and how the owner learns that it is
// done.

#include "mobula/store/arena/arena_reader.hpp"

#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "table_fixture.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// A table and one reader of it.
struct reader_fixture : table_fixture {
  std::unique_ptr<arena_reader> reader = open_reader();

  /// Finds an object that must be there.
  pinned_object pin(std::uint64_t sequence) const {
    auto result = reader->find(object(sequence));
    REQUIRE(result.object);
    return *result.object;
  }

  bool found(std::uint64_t sequence) const {
    auto result = reader->find(object(sequence));
    if (result.object)
      CHECK(reader->unpin(result.object->slot) == unpin_result::nothing);
    return result.object.has_value();
  }
};

} // namespace

TEST_CASE_FIXTURE(reader_fixture, "a reader finds both buffers of a sealed object") {
  publish(1);
  auto pinned = pin(1);
  CHECK(holds(pinned, 1));
  CHECK(reader->unpin(pinned.slot) == unpin_result::nothing);
  CHECK_FALSE(anything_pinned());
}

TEST_CASE_FIXTURE(reader_fixture, "a reader finds nothing that is not published") {
  CHECK_FALSE(found(1));
  publish(1);
  CHECK_FALSE(found(2));
  CHECK_FALSE(reader->find({second_node, 1}).object);
  CHECK_FALSE(reader->find({}).object);
}

TEST_CASE_FIXTURE(reader_fixture, "a reader finds each object of a full window") {
  auto sequences = neighbours(slot_window, slots);
  for (auto sequence : sequences)
    publish(sequence);
  for (auto sequence : sequences)
    CHECK(found(sequence));
}

TEST_CASE_FIXTURE(reader_fixture, "an object behind a withdrawn neighbour is still found") {
  auto sequences = neighbours(3, slots);
  publish(sequences[0]);
  auto slot = publish(sequences[1]);
  publish(sequences[2]);
  CHECK(table.try_withdraw(slot) == reclaim_result::reclaimed);
  CHECK(found(sequences[2]));
  CHECK_FALSE(found(sequences[1]));
}

TEST_CASE_FIXTURE(arena_fixture, "a reader knows the shard of an object") {
  auto arena = create(layout());
  auto opened = arena_reader::open(arena.path());
  auto& reader = *std::get<std::unique_ptr<arena_reader>>(opened);
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) {
    auto shard = home_shard(sequence, 2);
    auto start = arena.layout().heap.offset;
    object_table table{arena, shard};
    REQUIRE(table.publish(object(sequence), {{start, 0}}) != no_slot);
    auto result = reader.find(object(sequence));
    REQUIRE(result.object);
    CHECK(reader.unpin(result.object->slot) == unpin_result::nothing);
  }
}

TEST_CASE_FIXTURE(reader_fixture, "a pinned object stays until its last pin is gone") {
  auto slot = publish(1);
  auto pinned = pin(1);
  reader->add_pin(pinned.slot);
  CHECK(table.try_withdraw(slot) == reclaim_result::pinned);
  CHECK(reader->unpin(pinned.slot) == unpin_result::nothing);
  CHECK(table.try_withdraw(slot) == reclaim_result::pinned);
  CHECK(reader->unpin(pinned.slot) == unpin_result::tell_shard);
  CHECK(table.try_withdraw(slot) == reclaim_result::reclaimed);
  CHECK_FALSE(found(1));
}

TEST_CASE_FIXTURE(reader_fixture, "a doomed object is not found, but can be read to the end") {
  auto slot = publish(1);
  auto pinned = pin(1);
  CHECK(table.doom(slot) == reclaim_result::pinned);
  CHECK_FALSE(found(1));
  CHECK(holds(pinned, 1));
  CHECK(reader->unpin(pinned.slot) == unpin_result::tell_shard);
  CHECK(table.doom(slot) == reclaim_result::reclaimed);
}

TEST_CASE_FIXTURE(reader_fixture, "finding an object marks it as read") {
  auto slot = publish(1);
  CHECK(found(1));
  CHECK(table.take_read_mark(slot));
}

TEST_CASE_FIXTURE(reader_fixture, "two readers in one process have a bit each") {
  auto second = open_reader();
  auto slot = publish(1);
  auto ours = pin(1);
  auto theirs = second->find(object(1)).object;
  REQUIRE(theirs);
  CHECK(reader->index() != second->index());
  CHECK(table.try_withdraw(slot) == reclaim_result::pinned);
  CHECK(reader->unpin(ours.slot) == unpin_result::nothing);
  CHECK(second->unpin(theirs->slot) == unpin_result::tell_shard);
}

TEST_CASE_FIXTURE(reader_fixture, "objects can be read after their owner has ended") {
  auto other = create(layout(second_node));
  auto opened = arena_reader::open(other.path());
  auto survivor = std::get<std::unique_ptr<arena_reader>>(std::move(opened));
  auto start = other.layout().heap.offset;
  {
    auto ended = std::move(other);
    REQUIRE_FALSE(ended.commit({start, 8}));
    object_table own{ended, home_shard(1, 2)};
    REQUIRE(own.publish(object(1), {{start, 8}}) != no_slot);
  }
  auto pinned = survivor->find(object(1)).object;
  REQUIRE(pinned);
  CHECK(pinned->data.size() == 8);
  CHECK(survivor->unpin(pinned->slot) == unpin_result::nothing);
}

// -- garbage --------------------------------------------------------------------

TEST_CASE_FIXTURE(reader_fixture, "a slot whose place leaves the heap is not believed") {
  auto& slot = shared(publish(1));
  auto heap = arena.layout().heap;
  constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
  for (auto* field : {&slot.data_offset, &slot.data_size}) {
    auto good = field->load();
    for (auto bad : {huge, huge - 63, heap.end() + 64}) {
      *field = bad;
      CHECK_FALSE(found(1));
    }
    *field = good;
  }
  slot.metadata_size = static_cast<std::uint32_t>(heap.size);
  CHECK_FALSE(found(1));
  slot.data_offset = heap.offset - 64;
  CHECK_FALSE(found(1));
  CHECK_FALSE(anything_pinned());
}

TEST_CASE_FIXTURE(reader_fixture, "a slot whose data are not aligned is not believed") {
  auto& slot = shared(publish(1));
  slot.data_offset += 8;
  CHECK_FALSE(found(1));
}

TEST_CASE_FIXTURE(reader_fixture, "places up to the last byte of the heap are fine") {
  auto heap = arena.layout().heap;
  REQUIRE(table.publish(object(1), {{heap.offset, heap.size - 8}, 8}) != no_slot);
  CHECK(found(1));
}

TEST_CASE_FIXTURE(reader_fixture, "bits that lead to slots of others, or of nobody, lead nowhere") {
  publish(2);
  for (auto& slot : shared_slots())
    slot.neighbours = ~0U;
  CHECK_FALSE(found(1));
  CHECK(found(2));
}

TEST_CASE_FIXTURE(reader_fixture, "a bit that a stranger cleared harms neither side") {
  auto slot = publish(1);
  auto pinned = pin(1);
  shared(slot).word.drop_dead(set_of(reader->index()));
  CHECK(table.try_withdraw(slot) == reclaim_result::reclaimed);
  CHECK(reader->unpin(pinned.slot) == unpin_result::nothing);
}

// -- places for readers ---------------------------------------------------------

TEST_CASE_FIXTURE(table_fixture, "the 63rd reader is refused, until one of the others leaves") {
  std::vector<std::unique_ptr<arena_reader>> all;
  for (std::uint32_t i = 0; i < max_arena_readers; ++i)
    all.push_back(open_reader());
  auto refused = arena_reader::open(arena.path());
  REQUIRE(std::holds_alternative<reader_refusal>(refused));
  auto text = explain(std::get<reader_refusal>(refused));
  CHECK(text.starts_with(arena.path().string() + " has 62 reader processes"));
  auto index = all[30]->index();
  all[30].reset();
  CHECK(open_reader()->index() == index);
}

TEST_CASE_FIXTURE(table_fixture, "living readers are left alone") {
  auto reader = open_reader();
  publish(1);
  auto pinned = reader->find(object(1)).object;
  REQUIRE(pinned);
  auto census = readers.clear_dead();
  CHECK(census.living == 1);
  CHECK(census.cleared == 0);
  CHECK(anything_pinned());
  CHECK(reader->unpin(pinned->slot) == unpin_result::nothing);
}

TEST_CASE_FIXTURE(table_fixture, "a reader that left in order needs no clearing") {
  open_reader().reset();
  auto census = readers.clear_dead();
  CHECK(census.living == 0);
  CHECK(census.cleared == 0);
}

TEST_CASE_FIXTURE(table_fixture, "what is no arena has no readers") {
  auto missing = arena_reader::open(directory.path() / "missing");
  CHECK(std::holds_alternative<io_failure>(missing));
}
