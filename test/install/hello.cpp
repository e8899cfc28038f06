#include <iostream>

#include <mobula/serialization/ids.hpp>

int main() {
  mobula::object_id id{.owner = {.high = 1, .low = 2}, .sequence = 3};
  std::cout << to_string(id) << '\n';
  return mobula::object_id::decode(id.encode()) == id ? 0 : 1;
}
