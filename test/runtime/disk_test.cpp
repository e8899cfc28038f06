// Nodes whose spill directories fill up, turn read-only, vanish and rot: small file systems of the
// test's own below them, and a simulated clock.

#include "disk_node.hpp"

#include <filesystem>
#include <fstream>
#include <optional>

#include <mobula/store/spill/spill_claim.hpp>

using namespace mobula;
using namespace std::literals;
using namespace mobula::test;

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
