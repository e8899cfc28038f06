// A node whose actors ask those of other nodes: does what it reads, line by line, and writes what
// happens. A name is that of a published actor.
//
//   reads                    writes
//                            "node INCARNATION" at the start
//   "listen ADDRESS:PORT"    "listening PORT"
//   "join ADDRESS:PORT"      "joined"
//   "serve NAME"             "done": an actor answers numbers, keeps texts, and is silent on others
//   "end NAME"               "done": that actor has ended, or will
//   "lookup NAME"            "done": from now on the name stands for this handle
//   "ask NAME"               "answer 42" or "error TYPE"
//   "block NAME"             the same, by an actor that blocks
//   "wait NAME"              "error TYPE": what is asked is not answered
//   "hurry NAME"             "error TYPE": the same, for a moment only
//   "send NAME"              "done"; who serves the name writes "got text"
//   "watch NAME"             "done", and "ended TYPE" when that is so
//   "leave -"                "left", and ends
//                            "+INCARNATION" and "-INCARNATION REASON" for members

#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <mobula/mobula.hpp>

#include "../../runtime/spoken_lines.hpp"

using namespace std::chrono_literals;
using mobula::test::say;
using mobula::test::tell;

/// What the asking actor is told to do.
struct order {
  std::string command;
  caf::actor target;
};

MOBULA_LOCAL_MESSAGE(order)

namespace {

void say_error(const std::string& begin, const caf::error& reason) {
  say(begin + " " + std::string{to_string(mobula::to_error_info(reason).type)});
}

/// A question that is never answered.
struct riddle {};
MOBULA_MESSAGE(riddle)

caf::behavior server(caf::event_based_actor* self) {
  return {
    [](int number) { return number + 1; },
    [](const std::string& text) { say("got " + text); },
    // The promise is kept, and so nobody is told that there is no answer.
    [kept = std::vector<caf::response_promise>{}, self](const riddle&) mutable {
      kept.push_back(self->make_response_promise());
      return kept.back();
    },
  };
}

void ask(caf::event_based_actor* self, const order& given) {
  auto on_error = [](const caf::error& reason) {
    say_error("error", reason);
  };
  auto on_answer = [](int number) {
    say("answer " + std::to_string(number));
  };
  if (given.command == "ask")
    mobula::request(self, given.target, std::nullopt, 41).then(on_answer, on_error);
  else if (given.command == "wait")
    mobula::request(self, given.target, std::nullopt, riddle{}).then(on_answer, on_error);
  else if (given.command == "hurry")
    mobula::request(self, given.target, 50ms, riddle{}).await(on_answer, on_error);
  else if (given.command == "send")
    mobula::send(self, given.target, std::string{"text"});
  else if (given.command == "watch")
    mobula::watch(self, given.target, [](caf::error& reason) { say_error("ended", reason); });
  if (given.command == "send" || given.command == "watch")
    say("done");
}

void block(caf::actor_system& system, const caf::actor& target) {
  caf::scoped_actor self{system};
  mobula::request(self, target, std::nullopt, 41)
    .receive([](int number) { say("answer " + std::to_string(number)); },
             [](const caf::error& reason) { say_error("error", reason); });
}

class program {
public:
  explicit program(mobula::node& node) : node_(node), cluster_(node) {
    say("node " + to_string(node.incarnation()));
  }

  program(const program&) = delete;
  program& operator=(const program&) = delete;

  /// CAF keeps an actor whose handle it has sent until that ends, and crashes at its own end if
  /// that is never.
  ~program() {
    caf::scoped_actor self{node_.system()};
    self->send_exit(asker_, caf::exit_reason::user_shutdown);
    self->wait_for(asker_);
    for (const auto& [name, actor] : served_) {
      self->send_exit(actor, caf::exit_reason::user_shutdown);
      self->wait_for(actor);
    }
  }

  void run() {
    std::string command;
    std::string argument;
    while (std::cin >> command >> argument && command != "leave")
      try {
        follow(command, argument);
      } catch (const mobula::object_error& error) {
        say("failed " + std::string{to_string(error.type())} + " " + error.info().message);
      }
    cluster_.leave();
    say("left");
  }

private:
  void follow(const std::string& command, const std::string& argument) {
    if (command == "listen" || command == "join")
      return enter(command, argument);
    if (command == "block")
      return block(node_.system(), known_.at(argument));
    if (command == "serve") {
      auto actor = node_.system().spawn<caf::hidden>(server);
      node_.publish(argument, actor);
      served_[argument] = actor;
    } else if (command == "end") {
      caf::anon_send_exit(served_.at(argument), caf::exit_reason::user_shutdown);
    } else if (command == "lookup") {
      known_[argument] = node_.lookup_actor(argument, 10s);
    } else {
      return caf::anon_send(asker_, order{command, known_.at(argument)});
    }
    say("done");
  }

  void enter(const std::string& command, const std::string& where) {
    auto [address, port] = mobula::parse_endpoint(command, where);
    if (command == "join") {
      cluster_.join(address, port);
      return say("joined");
    }
    say("listening " + std::to_string(cluster_.listen(address, port)));
    cluster_.watch(tell);
  }

  mobula::node& node_;
  mobula::cluster cluster_;
  std::map<std::string, caf::actor> served_;
  std::map<std::string, caf::actor> known_;
  caf::actor asker_ = node_.system().spawn<caf::hidden>([](caf::event_based_actor* self) {
    return caf::behavior{[self](const order& given) {
      ask(self, given);
    }};
  });
};

struct node_config : mobula::config {
  node_config() {
    load<caf::io::middleman>();
    mobula::add_messages<riddle>(*this);
  }
};

} // namespace

int main(int argument_count, char** arguments) {
  return mobula::run_main<node_config>(
    argument_count, arguments,
    [](mobula::node& node, const mobula::config&) { program{node}.run(); });
}
