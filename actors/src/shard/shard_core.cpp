// The objects of a shard, and its turns at the table of the store: each event is told when all
// effects of former ones have been carried out.

#include "shard_core.hpp"

#include "mobula/actors/shard/refusal_error.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

shard_core::shard_core(node_core& node, std::uint32_t index, self_pointer self)
  : node_(node), index_(index), self_(self), readers_(node.arena(), index) {
  timers_.attach(self);
}

void shard_core::close() {
  // In this order: what goes back from here on is not given out again.
  heap().close();
  for (auto& [number, held] : slots_) {
    if (held.reservation != nullptr)
      refused_at_end_.push_back(std::move(held.reservation));
    held.let_go();
  }
  slots_.clear();
}

error_info shard_core::worded(const refuse_request& effect) const {
  auto result = refusal_error(effect, node_.options(), heap(), node_.disk_news().latest());
  result.origin = node_.origin();
  return result;
}

// -- objects --------------------------------------------------------------------------------------

object_id shard_core::id_of(std::uint64_t number) const {
  return {.owner = node_.incarnation(), .sequence = number};
}

void shard_core::drop_unknown(const object_id& id) {
  if (!space().inspect([&](const store_table& table) { return table.contains(id); }))
    slots_.erase(id.sequence);
}

// -- the table ------------------------------------------------------------------------------------

request_token shard_core::next_token() {
  return request_token{++tokens_ * node_.options().shards + index_};
}

void shard_core::wake_others() {
  for (auto shard : woken_)
    send(node_.shards()[shard], effects_waiting{});
  woken_.clear();
}

void shard_core::carry_out() {
  if (effects_.empty())
    return;
  carrying_out_ = true;
  carrier_->carry_out(effects_);
  effects_.clear();
  carrying_out_ = false;
}

void shard_core::run() {
  carry_out();
  for (const auto& id : std::exchange(freed_, {}))
    drop_unknown(id);
  if (heap().below_stock(stock_of_heap(node_.options())))
    node_.request_fill();
}

void shard_core::check_invariants() {
  // An event of its own: what others caused is carried out before.
  tell([this](const store_table& table, store_effects&) {
    table.check_invariants();
    for (const auto& [number, held] : slots_)
      MOBULA_ASSERT(table.contains(id_of(number)));
  });
  run();
}

} // namespace mobula
