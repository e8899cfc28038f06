// What a reader gets when there is no value: an error, as an exception or as a result.

#include <chrono>
#include <iostream>

#include <mobula/mobula.hpp>

using namespace std::literals;

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    // An object that could not be made is an object, too.
    auto failed = node.make_promise<int>();
    try {
      throw std::out_of_range("no such word");
    } catch (...) {
      failed.set_current_exception("lookup");
    }
    try {
      std::cout << *node.get(failed.ref()) << '\n';
    } catch (const mobula::object_error& error) {
      std::cout << to_string(error.type()) << ": " << error.info().message << '\n';
    }

    // Or take the error as a value, here that of a time limit.
    auto late = node.make_promise<int>();
    if (auto result = node.try_get(late.ref(), 10ms); !result)
      std::cout << to_string(mobula::to_error_info(result.error()).type) << '\n';

    // A batch has an outcome for each element.
    for (const auto& result : node.get_all(std::vector{node.put(1), failed.ref()}, 0s))
      std::cout << (result.has_value() ? "value" : "error") << '\n';

    // A reference of the wrong type is noticed before anything is read.
    mobula::ObjectRef<void> untyped = node.put(1.5);
    try {
      auto text = untyped.as<std::string>();
    } catch (const mobula::object_error& error) {
      std::cout << to_string(error.type()) << '\n';
    }
  });
}
