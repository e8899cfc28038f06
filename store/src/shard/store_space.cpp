// Hands each effect of the store's table to the shard that carries it out, and sees to credit in
// the same step: what is taken back may grant more, which may leave some to lend.

#include "mobula/store/shard/store_space.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace mobula {

store_space::store_space(const store_config& config, std::size_t max_lent_bytes)
  : max_lent_bytes_(std::min(max_lent_bytes, config.capacity_bytes)), backlogs_(config.shards),
    table_(config), outboxes_(config.shards) {
  std::vector<std::uint32_t> nobody;
  distribute(0, nobody);
}

/// Puts each effect where its shard finds it, and sees to the credit: taken back it may grant more,
/// which may leave some to lend.
void store_space::distribute(std::uint32_t shard, std::vector<std::uint32_t>& woken) {
  for (std::size_t next = 0;; ++next) {
    if (next == fresh_.size()) {
      auto bytes = bytes_to_lend();
      if (bytes == 0)
        break;
      table_.lend(bytes, fresh_);
    }
    auto target = fresh_[next].shard;
    if (std::holds_alternative<recall_credit>(fresh_[next].effect)) {
      table_.recall_answered(credit_.take_all(), fresh_);
    } else if (auto* credit = std::get_if<lend_credit>(&fresh_[next].effect)) {
      credit_.add(credit->bytes);
    } else {
      if (target != shard && outboxes_[target].empty())
        woken.push_back(target);
      outboxes_[target].push_back(std::move(fresh_[next].effect));
    }
  }
  fresh_.clear();
  credit_.set_stamp(table_.current_stamp());
}

void store_space::collect(std::uint32_t shard, shard_effects& effects) {
  auto& outbox = outboxes_[shard];
  std::ranges::move(outbox, std::back_inserter(effects));
  outbox.clear();
}

/// Tops the credit up, not at each event but when a good part of it is gone.
std::size_t store_space::bytes_to_lend() const noexcept {
  auto available = credit_.available();
  if (available >= max_lent_bytes_ / 2)
    return 0;
  auto bytes = std::min<std::size_t>(max_lent_bytes_ - available, table_.lendable_bytes());
  return bytes >= max_lent_bytes_ / 64 ? bytes : 0;
}

} // namespace mobula
