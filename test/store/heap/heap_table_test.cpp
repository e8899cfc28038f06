// The order in which values leave the process heap, and who is spared.

#include "mobula/store/heap/heap_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>

using namespace mobula;

namespace {

/// Three items that were made in this order.
struct three_items {
  heap_table table;
  std::array<heap_item, 3> items;

  three_items() {
    for (auto& item : items)
      table.made(item, 100);
  }
};

object_tally tally_of(std::size_t objects) {
  return {objects, objects * 100};
}

} // namespace

TEST_CASE_FIXTURE(three_items, "the item that was made first leaves first") {
  CHECK(table.oldest() == &items[0]);
  table.leave(items[0]);
  CHECK(table.oldest() == &items[1]);
  CHECK(table.tally(heap_state::leaving) == tally_of(1));
}

TEST_CASE_FIXTURE(three_items,
                  "a spared item is the youngest, and in the next spell not spared yet") {
  table.spare(items[0]);
  CHECK(table.oldest() == &items[1]);
  CHECK(table.was_spared(items[0]));
  CHECK_FALSE(table.was_spared(items[1]));
  table.begin_spell();
  CHECK_FALSE(table.was_spared(items[0]));
}

TEST_CASE_FIXTURE(three_items, "an item that is made anew was not spared") {
  table.spare(items[0]);
  table.made(items[0], 200);
  CHECK_FALSE(table.was_spared(items[0]));
  CHECK(table.tally(heap_state::idle) == object_tally{3, 400});
}

TEST_CASE_FIXTURE(three_items, "a pinned item is out of the order until its last reader reports") {
  table.found_pinned(items[0]);
  CHECK(table.oldest() == &items[1]);
  table.leave(items[1]);
  table.leave(items[2]);
  CHECK(table.oldest() == nullptr);
  table.unpinned(items[0]);
  CHECK(table.oldest() == &items[0]);
}

TEST_CASE_FIXTURE(three_items, "an item found pinned on its way out waits for its last reader") {
  table.leave(items[0]);
  table.stays_pinned(items[0]);
  CHECK(table.tally(heap_state::pinned) == tally_of(1));
  table.unpinned(items[0]);
  CHECK(table.tally(heap_state::idle) == tally_of(3));
}

TEST_CASE_FIXTURE(three_items, "a report that overtakes the answer is not lost") {
  table.leave(items[0]);
  table.unpinned(items[0]);
  table.stays_pinned(items[0]);
  CHECK(table.tally(heap_state::pinned) == tally_of(0));
  CHECK(table.tally(heap_state::idle) == tally_of(3));
}

TEST_CASE_FIXTURE(three_items, "a report of an earlier attempt does not count for the next") {
  table.leave(items[0]);
  table.unpinned(items[0]);
  table.stays_pinned(items[0]);
  table.leave(items[0]);
  table.stays_pinned(items[0]);
  CHECK(table.tally(heap_state::pinned) == tally_of(1));
}

TEST_CASE_FIXTURE(three_items,
                  "a report of an attempt that was refused does not count for the next") {
  table.leave(items[0]);
  table.unpinned(items[0]);
  table.stays_refused(items[0]);
  table.retry_refused();
  table.leave(items[0]);
  table.stays_pinned(items[0]);
  CHECK(table.tally(heap_state::pinned) == tally_of(1));
}

TEST_CASE_FIXTURE(three_items, "refused items come back as the oldest, in their order") {
  for (auto& item : items) {
    table.leave(item);
    table.stays_refused(item);
  }
  heap_item young;
  table.made(young, 100);
  CHECK(table.oldest() == &young);
  table.retry_refused();
  for (auto& item : items) {
    CHECK(table.oldest() == &item);
    table.leave(item);
  }
  CHECK(table.oldest() == &young);
}

TEST_CASE_FIXTURE(three_items, "an unpin of an item that was refused or is gone changes nothing") {
  table.leave(items[0]);
  table.stays_refused(items[0]);
  table.unpinned(items[0]);
  table.gone(items[1]);
  table.unpinned(items[1]);
  table.gone(items[1]);
  CHECK(table.tally(heap_state::refused) == tally_of(1));
  CHECK(table.tally(heap_state::idle) == tally_of(1));
}

namespace {

/// Random events against a list that says what the order must be.
class random_items {
public:
  explicit random_items(std::uint64_t seed) : random_(seed) {
    // nop
  }

  void run() {
    for (int step = 0; step < 400; ++step) {
      do_one_thing(items_[random_() % items_.size()]);
      REQUIRE(table_.oldest() == (order_.empty() ? nullptr : order_.front()));
      table_.check_invariants();
    }
    for (auto& item : items_)
      table_.gone(item);
    for (auto state :
         {heap_state::idle, heap_state::leaving, heap_state::pinned, heap_state::refused})
      REQUIRE(table_.tally(state) == object_tally{});
  }

private:
  void do_one_thing(heap_item& item) {
    switch (random_() % 8) {
      case 0:
        if (item.state != heap_state::leaving) {
          table_.made(item, 1 + random_() % 1000);
          forget(item);
          order_.push_back(&item);
        }
        return;
      case 1:
        table_.gone(item);
        return forget(item);
      case 2:
        return of_oldest([this](heap_item& oldest) { table_.leave(oldest); });
      case 3:
        return of_oldest([this](heap_item& oldest) { table_.found_pinned(oldest); });
      case 4:
        return of_oldest([this](heap_item& oldest) {
          table_.spare(oldest);
          order_.push_back(&oldest);
        });
      case 5:
        return answer(item);
      case 6:
        table_.unpinned(item);
        return come_back(item);
      default:
        return retry();
    }
  }

  template <class F>
  void of_oldest(F f) {
    auto* oldest = table_.oldest();
    if (oldest == nullptr)
      return;
    order_.pop_front();
    f(*oldest);
  }

  void answer(heap_item& item) {
    if (item.state != heap_state::leaving)
      return;
    if (random_() % 2 == 0) {
      table_.stays_pinned(item);
      come_back(item);
    } else {
      table_.stays_refused(item);
      refused_.push_back(&item);
    }
  }

  void retry() {
    table_.retry_refused();
    order_.insert(order_.begin(), refused_.begin(), refused_.end());
    refused_.clear();
  }

  void come_back(heap_item& item) {
    if (item.state == heap_state::idle && std::ranges::find(order_, &item) == order_.end())
      order_.push_back(&item);
  }

  void forget(heap_item& item) {
    std::erase(order_, &item);
    std::erase(refused_, &item);
  }

  std::mt19937_64 random_;
  heap_table table_;
  std::array<heap_item, 12> items_;
  std::deque<heap_item*> order_;
  std::deque<heap_item*> refused_;
};

} // namespace

TEST_CASE("random events keep the heap's order and its sums") {
  for (std::uint64_t seed = 0; seed < 500; ++seed)
    random_items{seed}.run();
}
