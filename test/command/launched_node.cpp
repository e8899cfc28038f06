// A node that `mobula launch` starts: follows its options, writes "members COUNT" whenever one
// comes or goes, and leaves on SIGTERM.

#include <csignal>
#include <iostream>
#include <string>

#include <mobula/mobula.hpp>

int main(int argc, char** argv) {
  // Before there are threads, which would take the signal else.
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &asked, nullptr);
  return mobula::run_main(argc, argv, [&](mobula::node& node, const mobula::config&) {
    mobula::cluster cluster{node};
    cluster.follow_options();
    cluster.watch([members = 0](const mobula::member_event& event) mutable {
      members += event.left ? -1 : 1;
      std::cout << "members " + std::to_string(members) + '\n' << std::flush;
    });
    int signal = 0;
    sigwait(&asked, &signal);
    cluster.leave();
    std::cout << "left" << std::endl;
  });
}
