// Files of arenas: their layout, memory that the system has no more of, damaged headers, and who
// removes them.

#include "mobula/store/arena/arena_segment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena_fixture.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

std::uint64_t blocks_bytes(const std::filesystem::path& file) {
  struct stat figures {};
  REQUIRE(::stat(file.c_str(), &figures) == 0);
  return static_cast<std::uint64_t>(figures.st_blocks) * 512;
}

void overwrite(const std::filesystem::path& file, std::streamoff offset, std::string_view text) {
  std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
  stream.seekp(offset);
  stream << text;
  REQUIRE(stream.good());
}

arena_flaw flaw_of(const std::filesystem::path& file) {
  auto result = mapped_arena::open(file);
  REQUIRE(std::holds_alternative<arena_refusal>(result));
  CHECK(explain(std::get<arena_refusal>(result)).starts_with(file.string()));
  return std::get<arena_refusal>(result).flaw;
}

} // namespace

TEST_CASE("an arena's regions follow each other, aligned and within its size") {
  auto layout = arena_fixture::layout(first_node, {.size_bytes = 10'000'000, .shards = 3});
  CHECK(layout.total_bytes <= 10'000'000);
  CHECK(layout.table.size == 3 * 1'024 * arena_slot_bytes);
  CHECK(layout.table_of(1).offset == layout.table_of(0).end());
  auto end = layout.table.end();
  CHECK(layout.heap.offset >= end);
  CHECK(layout.heap.offset % arena_region_alignment == 0);
  CHECK(layout.heap.end() == layout.total_bytes);
}

TEST_CASE("shapes without space or sense are refused") {
  CHECK_FALSE(plan_arena({.size_bytes = 100'000}, "test", first_node));
  CHECK_FALSE(plan_arena({.size_bytes = 1U << 30, .shards = 0}, "test", first_node));
  CHECK_FALSE(plan_arena({.size_bytes = 1U << 30, .shards = 129}, "test", first_node));
  CHECK_FALSE(plan_arena({.size_bytes = 1U << 30, .slots_per_shard = 1'000}, "test", first_node));
  CHECK_FALSE(plan_arena({.size_bytes = 1U << 30}, std::string(129, 'x'), first_node));
}

TEST_CASE("every damaged byte of a header is noticed") {
  auto header = encode_header(arena_fixture::layout());
  for (std::size_t offset = 0; offset < header.size(); ++offset) {
    auto damaged = header;
    damaged[offset] ^= std::byte{0x10};
    REQUIRE(std::holds_alternative<arena_flaw>(decode_header(damaged, 1ULL << 40)));
  }
  CHECK(std::get<arena_layout>(decode_header(header, 1ULL << 40)) == arena_fixture::layout());
}

TEST_CASE_FIXTURE(arena_fixture, "an arena is private, sparse, and gone with its owner") {
  auto path = directory.path() / "mobula-test-00000000000000010000000000000001.arena";
  {
    auto arena = create(layout());
    CHECK(arena.path() == path);
    struct stat figures {};
    REQUIRE(::stat(path.c_str(), &figures) == 0);
    CHECK((figures.st_mode & 0777) == 0600);
    CHECK(static_cast<std::uint64_t>(figures.st_size) == arena.layout().total_bytes);
    CHECK(blocks_bytes(path) < arena.layout().total_bytes / 4);
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE_FIXTURE(arena_fixture, "an incarnation has one arena") {
  auto arena = create(layout());
  auto again = arena_segment::create(arena.path(), layout());
  REQUIRE(std::holds_alternative<io_failure>(again));
  CHECK(std::get<io_failure>(again).error_number == EEXIST);
  CHECK(explain(std::get<io_failure>(again)).find("incarnation") != std::string::npos);
  CHECK(std::filesystem::exists(arena.path()));
}

TEST_CASE_FIXTURE(arena_fixture, "committing takes exactly the pages once, and keeps their bytes") {
  auto arena = create(layout());
  auto before = blocks_bytes(arena.path());
  auto heap = arena.layout().heap;
  arena_range part{heap.offset + 100, 8'000};
  REQUIRE_FALSE(arena.commit(part));
  CHECK(blocks_bytes(arena.path()) == before + 8'192);
  std::ranges::fill(arena.bytes(part), std::byte{7});
  REQUIRE_FALSE(arena.commit({heap.offset, 1U << 20}));
  CHECK(blocks_bytes(arena.path()) == before + (1U << 20));
  CHECK(std::ranges::count(arena.bytes(part), std::byte{7}) == 8'000);
}

TEST_CASE_FIXTURE(arena_fixture, "an arena larger than its directory is refused with both sizes") {
  auto huge = layout(first_node, {.size_bytes = 1ULL << 50});
  auto result = arena_segment::create(file_of(huge), huge);
  REQUIRE(std::holds_alternative<io_failure>(result));
  auto failure = std::get<io_failure>(result);
  CHECK(failure.error_number == ENOSPC);
  REQUIRE(failure.shortage);
  CHECK(failure.shortage->wanted_bytes == huge.total_bytes);
  CHECK(failure.shortage->available_bytes < huge.total_bytes);
  CHECK(explain(failure).find("configure a smaller store") != std::string::npos);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE_FIXTURE(arena_fixture, "memory that others took is a clean failure, not a SIGBUS") {
  if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=16m") != 0) {
    MESSAGE("skipped: mounting a tmpfs needs privileges");
    return;
  }
  {
    auto arena = create(layout());
    auto heap = arena.layout().heap;
    auto rival = directory.path() / "rival";
    std::ofstream{rival} << std::string(14U << 20, 'x');
    auto failure = arena.commit(heap);
    REQUIRE(failure);
    CHECK(is_disk_full(*failure));
    CHECK(failure->path == arena.path());
    CHECK(failure->shortage->wanted_bytes == heap.size);
    CHECK(failure->shortage->available_bytes < heap.size);
    std::filesystem::remove(rival);
    CHECK_FALSE(arena.commit(heap));
  }
  CHECK(::umount(directory.path().c_str()) == 0);
}

TEST_CASE_FIXTURE(arena_fixture, "a missing directory is told") {
  auto result = arena_segment::create(directory.path() / "missing" / "an.arena", layout());
  REQUIRE(std::holds_alternative<io_failure>(result));
  CHECK(std::get<io_failure>(result).error_number == ENOENT);
}

TEST_CASE_FIXTURE(arena_fixture, "a reader sees what the owner wrote, also after the owner ended") {
  std::optional<mapped_arena> reader;
  {
    auto arena = create(layout());
    auto place = arena_range{arena.layout().heap.offset, 5};
    REQUIRE_FALSE(arena.commit(place));
    std::memcpy(arena.bytes(place).data(), "hello", 5);
    reader = open(arena.path());
    CHECK(reader->layout() == arena.layout());
  }
  auto seen = reader->bytes({reader->layout().heap.offset, 5});
  CHECK(std::memcmp(seen.data(), "hello", 5) == 0);
}

TEST_CASE_FIXTURE(arena_fixture, "a reader cannot write objects") {
  auto arena = create(layout());
  REQUIRE_FALSE(arena.commit(arena.layout().heap));
  child_process child{[&] {
    std::signal(SIGSEGV, [](int) { ::_exit(42); });
    auto opened = mapped_arena::open(arena.path());
    *std::get<mapped_arena>(opened).mapping().at(arena.layout().heap.offset) = std::byte{1};
    return 0;
  }};
  CHECK(child.wait() == 42);
}

TEST_CASE_FIXTURE(arena_fixture, "files that are no arena of this version are told apart") {
  auto arena = create(layout());
  auto copy = directory.path() / "copy";
  auto make_copy = [&] {
    std::filesystem::copy_file(arena.path(), copy,
                               std::filesystem::copy_options::overwrite_existing);
  };
  make_copy();
  std::filesystem::resize_file(copy, arena.layout().total_bytes - 1);
  CHECK(flaw_of(copy) == arena_flaw::truncated);
  std::filesystem::resize_file(copy, 100);
  CHECK(flaw_of(copy) == arena_flaw::not_an_arena);
  make_copy();
  overwrite(copy, 0, "X");
  CHECK(flaw_of(copy) == arena_flaw::not_an_arena);
  make_copy();
  overwrite(copy, 8, "\3");
  CHECK(flaw_of(copy) == arena_flaw::wrong_version);
  make_copy();
  overwrite(copy, 20, "\7");
  CHECK(flaw_of(copy) == arena_flaw::damaged);
}

TEST_CASE_FIXTURE(arena_fixture, "living arenas are not swept, even in the same process") {
  auto arena = create(layout());
  auto moved = std::move(arena);
  auto result = sweep_arenas(directory.path());
  CHECK(result.files_removed == 0);
  CHECK(result.incarnations_alive == 1);
  CHECK(std::filesystem::exists(moved.path()));
}

TEST_CASE_FIXTURE(arena_fixture, "an arena behind a symbolic link is neither opened nor swept") {
  auto arena = create(layout());
  auto link = directory.path() / arena_file_name("test", second_node);
  std::filesystem::create_symlink(arena.path(), link);
  auto opened = mapped_arena::open(link);
  REQUIRE(std::holds_alternative<io_failure>(opened));
  CHECK(std::get<io_failure>(opened).error_number == ELOOP);
  auto result = sweep_arenas(directory.path());
  CHECK(result.incarnations_alive == 2);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].error_number == ELOOP);
}

TEST_CASE_FIXTURE(arena_fixture, "an arena that another user could cut short is not read") {
  auto arena = create(layout());
  if (::chown(arena.path().c_str(), ::geteuid() + 1, ::getegid()) != 0)
    return; // Only root may give files away.
  CHECK(flaw_of(arena.path()) == arena_flaw::of_other_user);
}

TEST_CASE_FIXTURE(arena_fixture, "files of others are not swept") {
  for (auto* name :
       {"mobula-test-1.arena", "notes.arena", "mobula-test-00000000000000010000000000000001.arenas",
        "mobula-test-0000000000000001000000000000000g.arena"})
    std::ofstream{directory.path() / name} << "four";
  auto result = sweep_arenas(directory.path());
  CHECK(result.files_removed == 0);
  CHECK(result.incarnations_alive == 0);
}

TEST_CASE_FIXTURE(arena_fixture, "what cannot be removed is told, and removed by the next sweep") {
  std::ofstream{directory.path() / arena_file_name("test", second_node)} << "four";
  auto calls = system_io_calls();
  calls.unlink = [](const char*) {
    errno = EACCES;
    return -1;
  };
  CHECK(sweep_arenas(directory.path(), calls).failures.size() == 1);
  CHECK(sweep_arenas(directory.path()).files_removed == 1);
  CHECK(sweep_arenas(directory.path() / "missing").failures.size() == 1);
}

TEST_CASE_FIXTURE(arena_fixture,
                  "nodes killed at any moment leave arenas that the next sweep ends") {
  for (std::uint64_t round = 1; round <= 100; ++round) {
    child_process node{[&] {
      auto plan = layout({.high = 9, .low = round});
      auto made = arena_segment::create(file_of(plan), plan);
      auto& arena = std::get<arena_segment>(made);
      while (!arena.commit(arena.layout().heap))
        std::this_thread::yield();
      return 1;
    }};
    for (auto turns = (round * 37) % 2'000; turns > 0; --turns)
      std::this_thread::yield();
    auto alive = sweep_arenas(directory.path());
    REQUIRE(alive.files_removed == 0);
    node.kill();
    auto dead = sweep_arenas(directory.path());
    REQUIRE(dead.failures.empty());
    REQUIRE(std::filesystem::is_empty(directory.path()));
  }
}
