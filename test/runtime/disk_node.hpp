#pragma once

#include "../small_disk.hpp"
#include "one_node.hpp"

#include <map>
#include <string>
#include <vector>

namespace mobula::test {

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
      sim.advance(std::chrono::seconds{1});
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

} // namespace mobula::test
