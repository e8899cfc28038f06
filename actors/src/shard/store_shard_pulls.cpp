// What a shard does for values that are pulled from other nodes. Their copies are secondaries: they
// take part in everything but disks, and have numbers of their own in place of an object's.

#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/objects/copy_pin.hpp"
#include "mobula/store/system/assertion.hpp"
#include "store_shard_state.hpp"

namespace mobula {

void store_shard_state::reserve_for_pull(const reserve_pull_buffer& request) {
  auto number = static_cast<std::uint64_t>(request.copy->pulled_as);
  if (slots_.contains(number))
    return answer_whole(request);
  auto size = request.copy->space_bytes();
  auto token = next_token();
  shard_slot held{request.copy, nullptr};
  held.pull = token;
  held.pulled_from = request.object;
  held.ticket = request.ticket;
  slots_.emplace(number, std::move(held));
  tell(&store_table::create, token, id_of(number), size, copy_kind::secondary);
  run();
  if (request.until == patience::none)
    withdraw_buffer({request.copy->pulled_as});
}

/// A reader came at a moment when the copy was closed, though it was not to go (`drop_decoded`), so
/// it was asked for once more: that reader has been served, or is now.
void store_shard_state::answer_whole(const reserve_pull_buffer& request) {
  // The puller asks once for a number until it was answered or has given the buffer back. What
  // is out of scope here is pulled by nobody: its entry is gone, or has another copy.
  const auto& held = slot_of(id_of(static_cast<std::uint64_t>(request.copy->pulled_as)));
  MOBULA_ASSERT(!held.pull && !held.in_transfer);
  auto entry = core_->gateway().find_borrowed(request.object);
  if (entry && entry->copy() == request.copy.get()) {
    // In this order, as in `seal_pull`.
    core_->gateway().reset_request(request.object);
    entry->restored();
  }
  self_->send(core_->transfers(), pull_sealed{request.copy->pulled_as,
                                              std::make_shared<copy_pin>(*core_, request.copy)});
}

void store_shard_state::withdraw_buffer(const withdraw_pull_buffer& request) {
  auto number = static_cast<std::uint64_t>(request.number);
  auto held = slots_.find(number);
  // It was answered meanwhile.
  if (held == slots_.end() || !held->second.pull)
    return;
  auto token = *held->second.pull;
  tell(&store_table::cancel, token);
  run();
  // Or before the table heard of this.
  held = slots_.find(number);
  if (held == slots_.end() || !held->second.pull)
    return;
  refuse_pull(number,
              {.token = token,
               .id = id_of(number),
               .error = refusal::store_full,
               .size_bytes = held->second.copy->space_bytes(),
               .use = space().inspect([](const store_table& table) { return table.use(); })});
}

/// The pulls know nothing of the store: the words are made here, and name the object as readers do.
void store_shard_state::refuse_pull(std::uint64_t number, const refuse_request& effect) {
  auto named = effect;
  named.id = slots_.at(number).pulled_from;
  slots_.erase(number);
  self_->send(
    core_->transfers(),
    pull_buffer_answered{pull_number{number}, buffer_refusal{effect.error, worded(named)}});
}

void store_shard_state::return_buffer(const return_pull_buffer& request) {
  auto id = id_of(static_cast<std::uint64_t>(request.number));
  slot_of(id).take_memory_back();
  tell(&store_table::abort, id);
  run();
  drop_unknown(id);
}

void store_shard_state::seal_pull(const seal_pulled& request) {
  auto& copy = *request.copy;
  auto& entry = **request.entry;
  auto id = id_of(static_cast<std::uint64_t>(copy.pulled_as));
  auto& held = slot_of(id);
  held.in_transfer = false;
  readers_->open_here(held);
  // In this order: a reader that is told now, and finds that the copy had to go again, sends a new
  // request.
  core_->gateway().reset_request(entry.id());
  if (entry.phase() == object_phase::stored)
    entry.restored();
  // Stored does not mean here: a reader may have found the value in place meanwhile, and nobody
  // would ever release this copy.
  auto in_use =
    entry.phase() == object_phase::stored ? entry.copy() == &copy : entry.seal_stored(copy);
  tell(&store_table::seal, id);
  self_->send(core_->transfers(),
              pull_sealed{copy.pulled_as, std::make_shared<copy_pin>(*core_, request.copy)});
  // Nobody reads an object that has failed meanwhile.
  if (!in_use)
    tell(&store_table::release, id);
  run();
  drop_unknown(id);
  self_->send(core_->cluster(), pull_ended{request.entry, pull_outcome::arrived, std::nullopt});
}

void store_shard_state::release_pull(const release_pulled& request) {
  auto id = id_of(static_cast<std::uint64_t>(request.copy->pulled_as));
  auto held = slots_.find(id.sequence);
  if (held == slots_.end())
    return;
  if (request.token != nullptr)
    held->second.token = std::move(*request.token);
  tell(&store_table::release, id);
  run();
  drop_unknown(id);
}

} // namespace mobula
