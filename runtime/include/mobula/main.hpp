#pragma once

#include <cstdlib>
#include <exception>
#include <iostream>

#include <caf/actor_system.hpp>

#include "mobula/config.hpp"
#include "mobula/node.hpp"

namespace mobula {

/// Runs a program that starts from nothing: reads the configuration, starts an actor system and a
/// node, calls `run(node, config)`, and shuts down when that returns and all actors are done.
///
///     int main(int argc, char** argv) {
///       return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
///         std::cout << *node.get(node.put(42)) << '\n';
///       });
///     }
///
/// `Config` may derive from `mobula::config` to add options. Returns the program's exit code: 0,
/// what `run` returns if it returns a number, or 1 after an error, which is printed. A child that
/// `run` forked ends here with the same code, as an actor system cannot be destroyed in it.
template <class Config = config, class F>
int run_main(int argc, char** argv, F&& run) {
  try {
    Config settings;
    if (auto error = settings.parse(argc, argv)) {
      std::cerr << to_error_info(error).message << '\n';
      return EXIT_FAILURE;
    }
    if (settings.cli_helptext_printed)
      return EXIT_SUCCESS;
    caf::actor_system system{settings};
    node local{system};
    auto result = EXIT_SUCCESS;
    try {
      if constexpr (std::is_convertible_v<decltype(run(local, settings)), int>)
        result = run(local, settings);
      else
        run(local, settings);
    } catch (const std::exception& error) {
      if (local.core().at_home())
        throw;
      std::cerr << error.what() << '\n';
      std::exit(EXIT_FAILURE);
    }
    if (!local.core().at_home())
      std::exit(result);
    system.await_all_actors_done();
    return result;
  } catch (const object_error& error) {
    std::cerr << to_string(error.info()) << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return EXIT_FAILURE;
}

} // namespace mobula
