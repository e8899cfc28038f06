// Takes bytes of the process heap when a stripe's ledger has none left at hand, and wakes the
// keeper when the heap is above its threshold.

#include "mobula/actors/node/value_heap.hpp"

namespace mobula {

heap_charge value_heap::take_slowly(heap_ledger& ledger, std::uint64_t bytes) {
  auto answer = limits_.take(ledger, bytes);
  if (answer != heap_answer::taken)
    host_.wake_heap_keeper();
  return answer == heap_answer::full ? heap_charge{} : heap_charge{ledger, bytes};
}

void value_heap::settle(heap_ledger& ledger) {
  if (limits_.settle(ledger) != heap_answer::taken)
    host_.wake_heap_keeper();
}

} // namespace mobula
