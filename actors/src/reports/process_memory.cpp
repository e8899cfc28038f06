// Asks the kernel and the C library what memory this process has, with what was freed and not given
// back, which no figure of the store shows.

#include "mobula/actors/reports/process_memory.hpp"

#include <fstream>

#include <malloc.h>
#include <unistd.h>

namespace mobula {

process_memory look_at_process_memory() {
  process_memory result;
  // In pages: the size of the address space, what is resident of it, and what is shared of that.
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  if (std::ifstream{"/proc/self/statm"} >> size >> resident >> shared) {
    auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    result.resident_bytes = resident * page;
    result.shared_bytes = shared * page;
  }
#if defined(__GLIBC__)
  // All zero under another allocator.
  auto library = ::mallinfo2();
  result.allocated_bytes = library.uordblks + library.hblkhd;
  result.allocator_kept_bytes = library.fordblks;
#endif
  return result;
}

void add_process_figures(std::vector<named_figure>& figures) {
  auto memory = look_at_process_memory();
  figures.push_back({"process_resident_bytes", memory.resident_bytes});
  figures.push_back({"process_shared_bytes", memory.shared_bytes});
  figures.push_back({"process_allocated_bytes", memory.allocated_bytes});
  figures.push_back({"allocator_kept_bytes", memory.allocator_kept_bytes});
}

} // namespace mobula
