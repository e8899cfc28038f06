// Reader processes that are killed at any moment, or fork: what they had pinned is free again.

#include "mobula/store/arena/arena_readers.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "table_fixture.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t objects = 16;

/// Lets the kernel kill this process at some moment, wherever it is then.
void die_within(std::chrono::nanoseconds time) {
  sigevent kill{};
  kill.sigev_notify = SIGEV_SIGNAL;
  kill.sigev_signo = SIGKILL;
  timer_t timer{};
  itimerspec moment{};
  moment.it_value.tv_nsec = time.count();
  if (::timer_create(CLOCK_MONOTONIC, &kill, &timer) != 0
      || ::timer_settime(timer, 0, &moment, nullptr) != 0)
    ::_exit(3);
}

/// What a reader process does until it is killed. Returns only if it finds something wrong.
int read_until_killed(const std::filesystem::path& path, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  die_within(std::chrono::microseconds{random() % 2'000 + 1});
  auto opened = arena_reader::open(path);
  auto* reader = std::get_if<std::unique_ptr<arena_reader>>(&opened);
  if (reader == nullptr)
    return 1;
  std::vector<table_index> pinned;
  for (;;) {
    auto sequence = random() % objects + 1;
    auto found = (*reader)->find(object(sequence)).object;
    if (found && !table_fixture::holds(*found, sequence))
      return 2;
    if (found)
      pinned.push_back(found->slot);
    while (pinned.size() > random() % 8) {
      static_cast<void>((*reader)->unpin(pinned.back()));
      pinned.pop_back();
    }
  }
}

/// A table of some objects.
struct crash_fixture : table_fixture {
  std::vector<slot_handle> published;

  crash_fixture() {
    for (std::uint64_t sequence = 1; sequence <= objects; ++sequence)
      published.push_back(publish(sequence));
  }

  /// Replaces objects that are not pinned, as a shard under pressure does.
  void replace_some(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    for (int i = 0; i < 2'000; ++i)
      replace(random() % objects);
  }

  void replace(std::uint64_t which) {
    if (table.try_withdraw(published[which]) == reclaim_result::reclaimed)
      published[which] = publish(which + 1);
  }

  /// Waits until some reader has something pinned.
  void await_pin() const {
    while (!anything_pinned())
      std::this_thread::yield();
  }
};

} // namespace

TEST_CASE_FIXTURE(crash_fixture,
                  "a killed reader's pins are dropped, and its place is free again") {
  child_process child{[&] {
    auto opened = arena_reader::open(arena.path());
    auto& reader = *std::get<std::unique_ptr<arena_reader>>(opened);
    static_cast<void>(reader.find(object(1)));
    for (;;)
      ::pause();
    return 0;
  }};
  await_pin();
  CHECK(readers.clear_dead().living == 1);
  CHECK(table.try_withdraw(published[0]) == reclaim_result::pinned);
  child.kill();
  CHECK(table.drained().empty());
  CHECK(open_reader()->index() == reader_index{1});
  CHECK(readers.clear_dead().cleared == 1);
  CHECK(table.drained() == std::vector{object(1)});
  CHECK(open_reader()->index() == reader_index{0});
  CHECK(table.try_withdraw(published[0]) == reclaim_result::reclaimed);
}

TEST_CASE_FIXTURE(crash_fixture, "a forked child gives back no pin and no place of its parent's") {
  auto reader = open_reader();
  auto found = reader->find(object(1));
  child_process child{[&] {
    static_cast<void>(reader->unpin(found.object->slot));
    auto misses = !reader->find(object(2)).object;
    reader.reset();
    return misses ? 0 : 1;
  }};
  CHECK(child.wait() == 0);
  CHECK(anything_pinned());
  CHECK(readers.clear_dead().living == 1);
  CHECK(reader->unpin(found.object->slot) == unpin_result::nothing);
}

TEST_CASE_FIXTURE(crash_fixture, "a reader that forked lives on in its child") {
  std::array<int, 2> life_line{};
  REQUIRE(::pipe(life_line.data()) == 0);
  child_process parent{[&] {
    auto opened = arena_reader::open(arena.path());
    static_cast<void>(std::get<std::unique_ptr<arena_reader>>(opened)->find(object(1)));
    if (::fork() != 0)
      ::_exit(0);
    ::close(life_line[1]);
    char end = 0;
    static_cast<void>(!::read(life_line[0], &end, 1));
    ::_exit(0);
    return 0;
  }};
  CHECK(parent.wait() == 0);
  CHECK(readers.clear_dead().living == 1);
  CHECK(anything_pinned());
  ::close(life_line[1]);
  while (readers.clear_dead().cleared == 0)
    std::this_thread::yield();
  CHECK_FALSE(anything_pinned());
  ::close(life_line[0]);
}

TEST_CASE_FIXTURE(crash_fixture, "readers killed at any moment leave nothing behind") {
  int died_pinned = 0;
  for (std::uint64_t round = 1; round <= 100; ++round) {
    std::vector<std::unique_ptr<child_process>> children;
    for (std::uint64_t i = 0; i < 2; ++i)
      children.push_back(std::make_unique<child_process>(
        [&] { return read_until_killed(arena.path(), 2 * round + i); }));
    replace_some(round);
    for (const auto& child : children)
      REQUIRE(child->wait() == -1);
    died_pinned += anything_pinned() ? 1 : 0;
    REQUIRE(readers.clear_dead().living == 0);
    REQUIRE_FALSE(anything_pinned());
    // The dead reported nothing; each object that the shard waits for must be told all the same.
    for (const auto& id : table.drained())
      replace(id.sequence - 1);
    REQUIRE(table.drained().empty());
  }
  MESSAGE(died_pinned, " of 100 rounds left pins behind");
}
