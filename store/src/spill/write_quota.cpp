// The proof that the writes under way are counted, and within their bounds.

#include "mobula/store/spill/write_quota.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

void write_quota::check_invariants(std::size_t writes, std::uint64_t bytes) const {
  MOBULA_ASSERT(writes == under_way_ && bytes == bytes_);
  MOBULA_ASSERT(under_way_ <= config_.max_writes && allows_bytes(0));
}

} // namespace mobula
