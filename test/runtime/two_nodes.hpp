#pragma once

#include <functional>
#include <optional>
#include <string>

#include <caf/io/middleman.hpp>
#include <doctest/doctest.h>

#include <mobula/mobula.hpp>

namespace mobula::test {

/// With a network, and a store that is small.
struct network_config : config {
  network_config() {
    load<caf::io::middleman>();
    set("mobula.store-size", std::string{"16MiB"});
  }
};

/// Two nodes of one actor system, and the place of each among others.
struct two_nodes {
  network_config settings;
  std::optional<caf::actor_system> system{settings};
  std::optional<node> first{*system};
  std::optional<node> second{*system};
  std::optional<cluster> first_place{*first};
  std::optional<cluster> second_place{*second};

  void meet() {
    second_place->join("127.0.0.1", first_place->listen("127.0.0.1", 0));
  }

  static error_type type_of(const std::function<void()>& f) {
    try {
      f();
    } catch (const object_error& error) {
      return error.type();
    }
    // Not the end of the case: this may run in a watcher, whose exceptions end there.
    FAIL_CHECK("no object_error was thrown");
    return {};
  }
};

} // namespace mobula::test
