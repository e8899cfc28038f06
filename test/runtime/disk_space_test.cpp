// Nodes with several spill directories, of which one fails, and what becomes of the space of freed
// objects on disk: small file systems of the test's own below them, and a simulated clock.

#include "disk_node.hpp"

#include <fstream>

using namespace mobula;
using namespace std::literals;
using namespace mobula::test;

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
