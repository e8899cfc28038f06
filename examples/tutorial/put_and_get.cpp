// A value is put into the store and read from there.

#include <iostream>

#include <mobula/mobula.hpp>

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    mobula::ObjectRef<std::string> text = node.put("the quick brown fox");
    mobula::view<std::string> value = node.get(text);
    std::cout << *value << '\n';
  });
}
