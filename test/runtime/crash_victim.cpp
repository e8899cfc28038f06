// The process that the crash test kills: works in the directory of its first argument, with the
// seed of its second, and writes one byte for each step, until it is killed.

#include <cstdlib>

#include <unistd.h>

#include "crash_work.hpp"

int main(int argument_count, char** arguments) {
  if (argument_count != 3)
    return EXIT_FAILURE;
  mobula::config settings;
  caf::actor_system system{settings};
  mobula::crash_work work{system, arguments[1], std::strtoull(arguments[2], nullptr, 10)};
  while (::write(STDOUT_FILENO, work.step() ? "." : "!", 1) == 1) {
    // nop
  }
  // The reader of the bytes is gone.
  return EXIT_SUCCESS;
}
