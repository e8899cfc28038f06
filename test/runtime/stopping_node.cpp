// A program of the signal tests. Its first word says what it is at when a signal comes; it writes
// "ready" when it is.

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include <unistd.h>

#include <mobula/mobula.hpp>

namespace {

using namespace std::chrono_literals;

void say(const std::string& line) {
  std::cout << line << std::endl;
}

[[noreturn]] void stay() {
  for (;;)
    std::this_thread::sleep_for(1h);
}

/// Ends by itself, with the node as it was.
int serve(mobula::node& node) {
  mobula::stop_signal stop;
  say("ready");
  auto number = stop.wait();
  say("told by " + std::to_string(number));
  say("still reads " + node.get(node.put("a text")).copy());
  return 7;
}

/// Does not end although it was told.
[[noreturn]] void refuse_to_end() {
  mobula::stop_signal stop;
  say("ready");
  stop.wait();
  say("told");
  stay();
}

int run(mobula::node& node, const std::string& phase, mobula::cluster& network) {
  auto text = node.put(std::string(300'000, 'x'));
  if (phase == "serve")
    return serve(node);
  if (phase == "refuse")
    refuse_to_end();
  if (phase == "actors") {
    node.system().spawn([](caf::event_based_actor*) {
      return caf::behavior{[](int) {
      }};
    });
    say("ready");
    return EXIT_SUCCESS;
  }
  say(phase == "port" ? "ready " + std::to_string(network.port()) : "ready");
  if (phase == "compute")
    stay();
  if (phase == "pause")
    ::pause();
  if (phase == "get" || phase == "port") {
    auto never = node.make_promise<int>();
    static_cast<void>(node.get(never.ref()));
  }
  return EXIT_SUCCESS;
}

} // namespace

int main(int argument_count, char** arguments) {
  return mobula::run_main(
    argument_count, arguments,
    [](mobula::node& node, const mobula::config& settings, mobula::cluster& network) {
      return run(node, settings.remainder.empty() ? "" : settings.remainder.front(), network);
    });
}
