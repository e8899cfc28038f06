// The smallest program that uses an installed Mobula: that it compiles, links and runs is the test.

#include <iostream>

#include <mobula/mobula.hpp>

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    auto greeting = node.put("hello");
    std::cout << node.get(greeting).copy() << '\n';
  });
}
