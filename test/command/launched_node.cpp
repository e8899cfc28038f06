// A node that `mobula launch` starts: writes "members COUNT" whenever one comes or goes, and leaves
// on SIGTERM.

#include <iostream>
#include <string>

#include <mobula/mobula.hpp>

int main(int argc, char** argv) {
  return mobula::run_main(
    argc, argv, [](mobula::node&, const mobula::config&, mobula::cluster& cluster) {
      mobula::stop_signal stop;
      cluster.watch([members = 0](const mobula::member_event& event) mutable {
        members += event.left ? -1 : 1;
        std::cout << "members " + std::to_string(members) + '\n' << std::flush;
      });
      stop.wait();
      cluster.leave();
      std::cout << "left" << std::endl;
    });
}
