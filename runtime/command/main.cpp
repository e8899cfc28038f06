// The `mobula` command: starts a cluster, shows what it holds and for whom, and cleans up after it.
// command_line.cpp says which words it takes and how it exits.

#include <iostream>
#include <limits>
#include <system_error>

#include <caf/io/middleman.hpp>

#include "clean.hpp"
#include "command_line.hpp"
#include "json_text.hpp"
#include "mobula/config.hpp"
#include "mobula/runtime/endpoint_option.hpp"
#include "mobula/serialization/error.hpp"
#include "view_words.hpp"
#include "views.hpp"

namespace {

using namespace mobula;
using namespace mobula::command;

/// Nodes have a bound of their own.
constexpr auto max_objects = std::numeric_limits<std::uint64_t>::max();

/// A client of CAF's network that starts no node.
struct client_config : config {
  client_config() {
    load<caf::io::middleman>();
  }
};

void show(const arguments& chosen, const std::string& text, const nlohmann::json& json) {
  if (chosen.json)
    std::cout << json_text(json);
  else
    std::cout << text;
}

/// Some of what was asked for is missing if a member did not answer.
exit_code completeness(const cluster_report& report) {
  return report.silent.empty() ? exit_complete : exit_incomplete;
}

exit_code show_object(const arguments& chosen, const cluster_report& report, const object_id& id) {
  auto found = find_object(report, id);
  if (found.object != nullptr) {
    show(chosen, object_text(report, found), object_json(report, found));
    return completeness(report);
  }
  if (found.owner != nullptr) {
    std::cerr << "mobula: object " << chosen.id << " does not exist any more\n";
    return exit_not_there;
  }
  std::cerr << silent_text(report) << "mobula: no node of this cluster"
            << (report.silent.empty() ? "" : " that answered") << " has the incarnation of object "
            << chosen.id << "; it is dead, or "
            << (report.silent.empty() ? "of another cluster" : "did not answer") << '\n';
  return report.silent.empty() ? exit_not_there : exit_incomplete;
}

int run(const CLI::App& app, const arguments& chosen) {
  if (app.got_subcommand("launch"))
    return launch(chosen.launch);
  if (app.got_subcommand("clean"))
    return clean(chosen.clean);
  auto where = parse_endpoint("--node", chosen.node);
  auto id = parse_object_id(chosen.id);
  if (app.got_subcommand("objects") && !id) {
    std::cerr << "mobula: \"" << chosen.id
              << "\" is no object id; give one as `mobula memory` shows it\n";
    return exit_bad_arguments;
  }
  client_config settings;
  caf::actor_system system{settings};
  node_client client{system};
  if (app.got_subcommand("status")) {
    auto report = client.ask_all(where, {.max_objects = 0, .only = {}});
    show(chosen, status_text(report), status_json(report));
    return completeness(report);
  }
  if (app.got_subcommand("memory")) {
    auto report = client.ask_all(where, memory_question(chosen.memory));
    show(chosen, memory_text(report, chosen.memory), memory_json(report, chosen.memory));
    return completeness(report);
  }
  return show_object(chosen, client.ask_all(where, {.max_objects = max_objects, .only = *id}), *id);
}

} // namespace

int main(int argument_count, char** words) {
  arguments chosen;
  CLI::App app;
  describe(app, chosen);
  try {
    parse(app, chosen, {words + 1, words + argument_count});
    return run(app, chosen);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::cerr << "mobula: " << usage_error(app, error)
              << "\nRun it with --help for what there is.\n";
    return exit_bad_arguments;
  } catch (const std::system_error& error) {
    std::cerr << "mobula: " << error.what() << '\n';
    return exit_bad_arguments;
  } catch (const object_error& error) {
    std::cerr << "mobula: " << error.info().message << '\n';
    return error.type() == error_type::invalid_argument ? exit_bad_arguments : exit_not_there;
  }
}
