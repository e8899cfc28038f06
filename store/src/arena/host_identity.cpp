// What nodes compare before they try to share memory: the boot of the system that they run on, the
// user, and the file system of their arenas.

#include "mobula/store/arena/host_identity.hpp"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace mobula {

host_identity identify_host(const std::string& arena_directory) {
  host_identity result;
  std::ifstream{"/proc/sys/kernel/random/boot_id"} >> result.boot_id;
  result.user_id = ::geteuid();
  struct ::stat status {};
  if (::stat(arena_directory.c_str(), &status) == 0)
    result.mount_device = status.st_dev;
  return result;
}

} // namespace mobula
