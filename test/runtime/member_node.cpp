// A node of the membership tests: does what it reads, line by line, and writes what happens.
//
//   reads                    writes
//                            "node INCARNATION" at the start
//   "listen ADDRESS:PORT"    "listening PORT" or "failed ERROR TEXT"
//   "join ADDRESS:PORT"      "joined" or "failed ERROR TEXT"
//   "options -"              "followed PORT": did what the options say
//   "leave"                  "left", and ends
//                            "+INCARNATION" and "-INCARNATION REASON" for members

#include <iostream>
#include <string>

#include <caf/io/middleman.hpp>

#include <mobula/mobula.hpp>

#include "spoken_lines.hpp"

using mobula::test::say;
using mobula::test::tell;

namespace {

void listen(mobula::cluster& cluster, const std::string& where) {
  auto [address, port] = mobula::parse_endpoint("mobula.listen", where);
  auto actual = cluster.listen(address, port);
  say("listening " + std::to_string(actual));
  cluster.watch(tell);
}

void join(mobula::cluster& cluster, const std::string& where) {
  auto [address, port] = mobula::parse_endpoint("mobula.join", where);
  cluster.join(address, port);
  say("joined");
}

void follow(mobula::cluster& cluster, const std::string& command, const std::string& where) {
  if (command == "listen")
    return listen(cluster, where);
  if (command == "join")
    return join(cluster, where);
  cluster.follow_options();
  say("followed " + std::to_string(cluster.port()));
}

int run(mobula::node& node) {
  mobula::cluster cluster{node};
  say("node " + to_string(node.incarnation()));
  std::string command;
  std::string where;
  while (std::cin >> command && command != "leave") {
    std::cin >> where;
    try {
      follow(cluster, command, where);
    } catch (const mobula::object_error& error) {
      say("failed " + std::string{to_string(error.type())} + " " + error.info().message);
    }
  }
  cluster.leave();
  say("left");
  return EXIT_SUCCESS;
}

/// A program that joins by code, so it loads the middleman itself.
struct member_config : mobula::config {
  member_config() {
    load<caf::io::middleman>();
  }
};

} // namespace

int main(int argument_count, char** arguments) {
  return mobula::run_main<member_config>(
    argument_count, arguments, [](mobula::node& node, const mobula::config&) { return run(node); });
}
