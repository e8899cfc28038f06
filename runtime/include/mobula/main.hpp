#pragma once

#include <cstdlib>
#include <exception>
#include <iostream>
#include <type_traits>

#include <caf/actor_system.hpp>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/cluster.hpp"
#include "mobula/config.hpp"
#include "mobula/node.hpp"
#include "mobula/runtime/program_run.hpp"

namespace mobula {

/// Calls what `run_main` runs with as much as it takes. Returns its exit code.
template <class Config, class F>
int call_program(F& run, node& local, Config& settings, cluster& network) {
  auto call = [&]() -> decltype(auto) {
    if constexpr (std::is_invocable_v<F&, node&, Config&, cluster&>)
      return run(local, settings, network);
    else
      return run(local, settings);
  };
  if constexpr (std::is_convertible_v<decltype(call()), int>)
    return call();
  call();
  return EXIT_SUCCESS;
}

/// Runs a program that starts from nothing: reads the configuration, starts an actor system and a
/// node, does what `mobula.listen` and `mobula.join` say, calls `run(node, config)` or
/// `run(node, config, cluster)`, and leaves and shuts down when that has returned and all actors
/// are done.
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
///
/// *Signals.* SIGINT (Ctrl-C) and SIGTERM have the node leave its cluster (with `mobula.drain`),
/// shut down and remove its files: what `run` waits for then ends with `shutting_down`. Returns 128
/// and the number of the signal when `run` has returned and all actors are done; if that takes
/// longer than `mobula.stop-limit`, the process exits with the same code at once. A `run` that has
/// a `stop_signal` waits for that instead and ends by itself, with its node as it was. A second
/// signal ends the process at once; `mobula clean`, or the next node that starts, removes what is
/// left.
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
    program_run program{read_stop_limit(settings)};
    auto result = EXIT_FAILURE;
    {
      caf::actor_system system{settings};
      node local{system};
      cluster network{local};
      result = program.run(local, network,
                           [&] { return call_program<Config>(run, local, settings, network); });
    }
    return program.exit_code(result);
  } catch (const std::exception&) {
    print_current_exception();
  }
  return EXIT_FAILURE;
}

} // namespace mobula
