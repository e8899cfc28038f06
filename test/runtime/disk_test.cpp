// Nodes whose spill directories fill up, turn read-only, vanish and rot: small file systems of the
// test's own below them, and a simulated clock.

#include "../small_disk.hpp"
#include "one_node.hpp"

#include <filesystem>
#include <fstream>
#include <optional>

#include <mobula/store/spill/spill_claim.hpp>

using namespace mobula;
using namespace std::literals;
using mobula::test::small_disk;

namespace {

constexpr std::size_t block_bytes = 500'000;

/// A node with one shard of 4 MiB over small disks, and the objects that it holds.
struct disk_node {
  testing::simulation sim;
  mobula::node* node = nullptr;
  std::map<int, ObjectRef<std::string>> held;

  void start(std::vector<const small_disk*> disks, std::uint64_t file_bytes = 2 << 20) {
    auto options = sim.default_options();
    options.store_size_bytes = 4 << 20;
    options.shards = 1;
    options.spill_file_bytes = file_bytes;
    for (const auto* disk : disks)
      options.spill_directories.push_back(disk->spills());
    node = &sim.add_node(options);
  }

  /// What object `number` must be.
  static std::string block(int number) {
    std::string result(block_bytes, static_cast<char>('a' + number % 26));
    result.replace(0, 4, std::to_string(1'000 + number));
    return result;
  }

  void put_all(int count) {
    for (auto number = static_cast<int>(held.size()); number < count; ++number)
      held.emplace(number, node->put(block(number)));
  }

  /// Puts objects until there are `count`.
  void put_up_to(int count) {
    put_all(count);
    sim.run();
  }

  /// Puts objects until one is refused; returns why.
  error_type put_until_refused() {
    return error_of([&] { put_all(100); });
  }

  struct reading {
    int whole = 0;
    int lost = 0;
  };

  /// Reads all objects: each must be whole or lost, never wrong.
  reading read_all() {
    reading result;
    for (const auto& [number, ref] : held) {
      auto value = node->try_get(ref);
      if (value) {
        CHECK(**value == block(number));
        ++result.whole;
      } else {
        CHECK(to_error_info(value.error()).type == error_type::object_lost);
        ++result.lost;
      }
    }
    return result;
  }

  void check_all_whole() {
    auto result = read_all();
    CHECK(result.lost == 0);
    CHECK(result.whole == static_cast<int>(held.size()));
  }

  /// Lets the time pass in which a directory is tried again, however often it failed.
  void pass_time() {
    for (int seconds = 0; seconds < 80; ++seconds) {
      sim.advance(1s);
      sim.run();
    }
  }

  /// Reads what memory holds: as many as fit, and none of them from the disk.
  void check_memory_readable() {
    auto before = node->stats().restored.objects;
    int whole = 0;
    for (auto number = static_cast<int>(held.size()) - 1; number >= 0 && whole < 4; --number) {
      CHECK(node->get(held.at(number)).copy() == block(number));
      ++whole;
    }
    CHECK(node->stats().restored.objects == before);
  }

  void check_nothing_left() {
    held.clear();
    sim.check_invariants();
    pass_time();
    CHECK(sim.leftovers() == "");
  }
};

} // namespace

// -- the disk takes no more -------------------------------------------------------------------

TEST_CASE_FIXTURE(disk_node, "a full disk refuses puts after their time-out, and loses nothing") {
  small_disk disk;
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(8);
  disk.fill();
  auto filled = sim.now();
  CHECK(put_until_refused() == error_type::out_of_disk_error);
  CHECK(sim.now() - filled >= node->options().full_timeout);
  check_memory_readable();
  disk.drop_ballast();
  pass_time();
  put_up_to(static_cast<int>(held.size()) + 2);
  check_all_whole();
  check_nothing_left();
  CHECK(disk.files().empty());
}

TEST_CASE_FIXTURE(disk_node, "a put that waits for a full disk goes on when there is space") {
  small_disk disk;
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(8);
  disk.fill();
  auto cleaner = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      disk.drop_ballast();
      self->quit();
    }};
  });
  caf::delayed_anon_send(cleaner, 500ms, 0);
  auto filled = sim.now();
  put_up_to(12);
  CHECK(sim.now() - filled >= 500ms);
  CHECK(sim.now() - filled < node->options().full_timeout);
  check_all_whole();
  check_nothing_left();
}

TEST_CASE_FIXTURE(disk_node,
                  "a disk that failed for long is found to be back by a put that waits") {
  small_disk disk;
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(8);
  disk.fill();
  for (int failures = 0; failures < 10; ++failures)
    CHECK(put_until_refused() == error_type::out_of_disk_error);
  auto cleaner = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      disk.drop_ballast();
      self->quit();
    }};
  });
  caf::delayed_anon_send(cleaner, 500ms, 0);
  put_up_to(static_cast<int>(held.size()) + 1);
  check_all_whole();
  check_nothing_left();
}

TEST_CASE_FIXTURE(disk_node,
                  "a put that is refused names the directory, what it said and a remedy") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(12);
  disk.make_read_only();
  auto text = message_of([&] { put_all(100); });
  CHECK(text.find("could only go to disk, but cannot ") != std::string::npos);
  CHECK(text.find(disk.spills().string()) != std::string::npos);
  CHECK(text.find("Read-only file system; mount that file system") != std::string::npos);
  disk.make_writable();
  pass_time();
  put_up_to(static_cast<int>(held.size()) + 8);
  CHECK(node->core().disk_news().latest().writing == "");
  check_nothing_left();
}

TEST_CASE_FIXTURE(disk_node, "a disk that turns read-only is read from, and written to later") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(12);
  disk.make_read_only();
  CHECK(put_until_refused() == error_type::out_of_disk_error);
  check_memory_readable();
  disk.make_writable();
  pass_time();
  put_up_to(static_cast<int>(held.size()) + 8);
  check_all_whole();
  check_nothing_left();
  CHECK(disk.files().empty());
}

TEST_CASE_FIXTURE(disk_node, "objects freed while the disk is read-only go when it is not") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(20);
  disk.make_read_only();
  held.clear();
  sim.run();
  CHECK_FALSE(disk.files().empty());
  disk.make_writable();
  check_nothing_left();
  CHECK(disk.files().empty());
}

TEST_CASE_FIXTURE(disk_node, "a node ends though its files cannot be removed") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(20);
  disk.make_read_only();
  auto began = sim.now();
  node->shutdown();
  CHECK(node->core().services_gone());
  CHECK(sim.now() - began < 10s);
  CHECK_FALSE(disk.files().empty());
  disk.make_writable();
  CHECK(sweep_directory(disk.spills()).files_removed > 0);
}

TEST_CASE_FIXTURE(disk_node, "files that can be removed again before the end are") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(20);
  disk.make_read_only();
  held.clear();
  sim.run();
  disk.make_writable();
  node->shutdown();
  CHECK(disk.files().empty());
}

// -- what was written is gone or wrong --------------------------------------------------------

TEST_CASE_FIXTURE(disk_node, "a directory removed while running loses what only it had") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(20);
  auto on_disk = static_cast<int>(node->stats().spilled.objects);
  std::filesystem::remove_all(disk.spills());
  check_memory_readable();
  CHECK(put_until_refused() == error_type::out_of_disk_error);
  std::filesystem::create_directory(disk.spills());
  pass_time();
  auto result = read_all();
  CHECK(result.lost > 0);
  CHECK(result.lost <= on_disk);
  std::erase_if(held, [&](const auto& each) { return !node->try_get(each.second); });
  auto count = static_cast<int>(held.size());
  for (int number = 100; number < 120; ++number)
    held.emplace(number, node->put(block(number)));
  CHECK(read_all().whole == count + 20);
  check_nothing_left();
  CHECK(disk.files().empty());
}

TEST_CASE_FIXTURE(disk_node,
                  "spill files written after the lock file was removed belong to the living") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(10);
  for (const auto& file : std::filesystem::directory_iterator{disk.spills()})
    if (file.path().extension() == ".lock")
      std::filesystem::remove(file.path());
  put_up_to(30);
  auto living = node->incarnation();
  auto count = disk.files().size();
  auto* first = node;
  start({&disk});
  CHECK(disk.files().size() == count);
  node = first;
  CHECK(node->incarnation() == living);
  check_all_whole();
}

TEST_CASE_FIXTURE(disk_node, "a truncated file loses the objects behind its end") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(20);
  for (const auto& file : disk.files())
    if (std::filesystem::file_size(file) > block_bytes)
      std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  auto files = static_cast<int>(disk.files().size());
  auto result = read_all();
  CHECK(result.lost > 0);
  CHECK(result.lost <= files);
  CHECK(result.whole == 20 - result.lost);
  check_nothing_left();
}

TEST_CASE_FIXTURE(disk_node, "a flipped bit loses its object, and its neighbours are well") {
  small_disk disk{"size=32m"};
  if (!disk.mounted())
    return;
  start({&disk});
  put_up_to(20);
  {
    std::fstream file{disk.files().front(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(block_bytes / 2);
    auto byte = static_cast<char>(file.get() ^ 16);
    file.seekp(block_bytes / 2);
    file.put(byte);
  }
  auto result = read_all();
  CHECK(result.lost <= 1);
  CHECK(result.whole >= 19);
  check_nothing_left();
}

// -- several directories, and space -----------------------------------------------------------

TEST_CASE_FIXTURE(disk_node, "of two directories one fails, and the other takes all") {
  small_disk first{"size=32m"};
  small_disk second{"size=32m"};
  if (!first.mounted() || !second.mounted())
    return;
  start({&first, &second});
  put_up_to(16);
  first.make_read_only();
  auto before = second.file_bytes();
  put_up_to(40);
  CHECK(second.file_bytes() > before + 10 * block_bytes);
  check_all_whole();
  first.make_writable();
  pass_time();
  auto old_bytes = first.file_bytes();
  put_up_to(56);
  CHECK(first.file_bytes() > old_bytes);
  check_nothing_left();
  CHECK(first.files().empty());
  CHECK(second.files().empty());
}

TEST_CASE_FIXTURE(disk_node, "mostly dead files shrink") {
  small_disk disk{"size=64m"};
  if (!disk.mounted())
    return;
  start({&disk}, 8 * (block_bytes + 500));
  put_up_to(60);
  auto full = disk.file_bytes();
  std::erase_if(held, [](const auto& each) { return each.first % 8 != 0; });
  sim.run();
  CHECK(full > 40 * block_bytes);
  CHECK(disk.file_bytes() < full / 2);
  CHECK(node->stats().spill_file_bytes == disk.file_bytes());
  check_all_whole();
  check_nothing_left();
  CHECK(disk.files().empty());
}

TEST_CASE_FIXTURE(disk_node, "damage in a file that is rewritten loses the damaged object only") {
  small_disk disk{"size=64m"};
  if (!disk.mounted())
    return;
  start({&disk}, 8 * (block_bytes + 500));
  put_up_to(60);
  for (const auto& path : disk.files()) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(block_bytes / 2);
    file.put('#');
  }
  auto files = static_cast<int>(disk.files().size());
  std::erase_if(held, [](const auto& each) { return each.first % 4 != 0; });
  auto count = static_cast<int>(held.size());
  auto result = read_all();
  CHECK(result.lost <= files);
  CHECK(result.whole >= count - files);
  check_nothing_left();
  CHECK(disk.files().empty());
}
