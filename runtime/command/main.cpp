// The `mobula` command: shows what a running cluster holds, and for whom.
//
//   mobula status  --node ADDRESS:PORT
//   mobula memory  --node ADDRESS:PORT [--group-by owner|node|type|state|call-site]
//                                      [--sort-by size|references] [--limit N]
//   mobula objects --node ADDRESS:PORT ID
//
// Exits with 0, 1 if the node or object is not there, 2 for bad arguments.

#include <iostream>
#include <limits>
#include <map>

#include <CLI/CLI.hpp>
#include <caf/io/middleman.hpp>

#include "mobula/cluster.hpp"
#include "mobula/config.hpp"
#include "views.hpp"

namespace {

using namespace mobula;
using namespace mobula::command;

/// Nodes have a bound of their own.
constexpr auto most_objects = std::numeric_limits<std::uint64_t>::max();

struct arguments {
  std::string node;
  bool json = false;
  memory_options memory;
  std::string id;
};

/// A client of CAF's network that starts no node.
struct client_config : config {
  client_config() {
    load<caf::io::middleman>();
  }
};

void add_common(CLI::App& command, arguments& chosen) {
  command
    .add_option("--node", chosen.node,
                "ADDRESS:PORT that a node of the cluster listens at (or MOBULA_NODE)")
    ->envname("MOBULA_NODE")
    ->required();
  command.add_flag("--json", chosen.json, "Write JSON");
}

void show(const arguments& chosen, const std::string& text, const nlohmann::json& json) {
  if (chosen.json)
    std::cout << json.dump(2) << '\n';
  else
    std::cout << text;
}

int show_object(const arguments& chosen, const cluster_report& report, const object_id& id) {
  auto found = find_object(report, id);
  if (found.object == nullptr) {
    std::cerr << "mobula: "
              << (found.owner == nullptr ? "no node of this cluster has the incarnation of object "
                                             + chosen.id + "; it is dead, or of another cluster"
                                         : "object " + chosen.id + " does not exist any more")
              << '\n';
    return EXIT_FAILURE;
  }
  show(chosen, object_text(report, found), object_json(report, found));
  return EXIT_SUCCESS;
}

int run(const CLI::App& app, const arguments& chosen) {
  auto where = parse_endpoint("node", chosen.node);
  client_config settings;
  caf::actor_system system{settings};
  node_client client{system};
  if (app.got_subcommand("status")) {
    auto report = client.ask_all(where, {.most_objects = 0, .only = {}});
    show(chosen, status_text(report), status_json(report));
    return EXIT_SUCCESS;
  }
  if (app.got_subcommand("memory")) {
    auto report = client.ask_all(where, {.most_objects = most_objects, .only = {}});
    show(chosen, memory_text(report, chosen.memory), memory_json(report, chosen.memory));
    return EXIT_SUCCESS;
  }
  auto id = parse_object_id(chosen.id);
  if (!id) {
    std::cerr << "mobula: \"" << chosen.id
              << "\" is no object id; give one as `mobula memory` shows it\n";
    return 2;
  }
  return show_object(chosen, client.ask_all(where, {.most_objects = most_objects, .only = *id}),
                     *id);
}

} // namespace

int main(int argument_count, char** words) {
  arguments chosen;
  CLI::App app{"Shows what a running Mobula cluster holds, and for whom."};
  app.require_subcommand(1);
  auto* status = app.add_subcommand("status", "Nodes, and what each of them uses");
  auto* memory = app.add_subcommand("memory", "Objects, the largest first: where leaks show");
  auto* objects = app.add_subcommand("objects", "One object: its state, and who refers to it");
  for (auto* command : {status, memory, objects})
    add_common(*command, chosen);
  memory
    ->add_option("--group-by", chosen.memory.group,
                 "Sums for each owner, node (the same), type, state or call site")
    ->transform(
      CLI::CheckedTransformer(std::map<std::string, grouping>{{"owner", grouping::owner},
                                                              {"node", grouping::owner},
                                                              {"type", grouping::type},
                                                              {"state", grouping::state},
                                                              {"call-site", grouping::call_site}}));
  memory->add_option("--sort-by", chosen.memory.sort, "By size or by references")
    ->transform(CLI::CheckedTransformer(std::map<std::string, sorting>{
      {"size", sorting::size}, {"references", sorting::references}}));
  memory->add_option("--limit", chosen.memory.most_rows, "Rows of text")->capture_default_str();
  objects->add_option("ID", chosen.id, "As `mobula memory` shows it")->required();
  try {
    app.parse(argument_count, words);
    return run(app, chosen);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : 2;
  } catch (const object_error& error) {
    std::cerr << "mobula: " << error.info().message << '\n';
    return error.type() == error_type::invalid_argument ? 2 : EXIT_FAILURE;
  }
}
