// A node of the memory tests, with the options of its command line: does what it reads, line by
// line, and writes what came of it.
//
//   reads             writes
//                     "size BYTES" of the store at the start, or "failed TEXT", and ends
//   "put BYTES"       "held COUNT": put an object more, and made the stock of free pages ready
//   "fill BYTES"      "full TOTAL": put objects of this size until one was refused

#include <iostream>
#include <string>
#include <vector>

#include <mobula/mobula.hpp>

namespace {

using block = mobula::array<std::byte>;

std::vector<mobula::ObjectRef<block>> held;

void put(mobula::node& node, std::size_t bytes) {
  held.push_back(node.put(block{std::vector<std::byte>(bytes, std::byte{'x'})}));
  for (auto stats = node.stats(); stats.prefault_ready_bytes < stats.prefault_target_bytes;)
    stats = node.stats();
  std::cout << "held " << held.size() << std::endl;
}

void fill(mobula::node& node, std::size_t bytes) {
  const std::vector<std::byte> content(bytes, std::byte{'x'});
  const block value{content};
  std::size_t total = 0;
  try {
    for (;; total += bytes)
      held.push_back(node.put(value));
  } catch (const mobula::object_error&) {
    std::cout << "full " << total << std::endl;
  }
}

int run(mobula::node& node) {
  std::cout << "size " << node.stats().store_capacity_bytes << std::endl;
  std::string command;
  std::size_t bytes = 0;
  while (std::cin >> command >> bytes)
    command == "put" ? put(node, bytes) : fill(node, bytes);
  held.clear();
  return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
  mobula::config settings;
  if (auto error = settings.parse(argc, argv)) {
    std::cout << "failed " << mobula::to_error_info(error).message << std::endl;
    return EXIT_FAILURE;
  }
  try {
    caf::actor_system system{settings};
    mobula::node node{system};
    return run(node);
  } catch (const mobula::object_error& error) {
    std::cout << "failed " << error.what() << std::endl;
    return EXIT_FAILURE;
  }
}
