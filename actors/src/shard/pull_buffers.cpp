// What a shard does for values that are pulled from other nodes: gives their copies buffers, and
// seals, evicts and frees these copies.

#include "pull_buffers.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/objects/copy_pin.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- events ---------------------------------------------------------------------------------------

void pull_buffers::reserve(const reserve_pull_buffer& request) {
  auto number = static_cast<std::uint64_t>(request.copy->pulled_as);
  if (shard_.find(number) != nullptr)
    return answer_whole(request);
  auto size = request.copy->space_bytes();
  auto token = shard_.next_token();
  shard_slot held{request.copy, nullptr};
  held.pull = token;
  held.pulled_from = request.object;
  held.ticket = request.ticket;
  shard_.add(number, std::move(held));
  shard_.tell(&store_table::create, token, shard_.id_of(number), size, copy_kind::secondary);
  shard_.run();
  if (request.until == patience::none)
    withdraw({request.copy->pulled_as});
}

/// A reader came at a moment when the copy was closed, though it was not to go (`drop_decoded`), so
/// it was asked for once more: that reader has been served, or is now.
void pull_buffers::answer_whole(const reserve_pull_buffer& request) {
  // The puller asks once for a number until it was answered or has given the buffer back. What
  // is out of scope here is pulled by nobody: its entry is gone, or has another copy.
  const auto& held = shard_.slot_of(shard_.id_of(request.copy->pulled_as));
  MOBULA_ASSERT(!held.pull && !held.in_transfer);
  auto entry = shard_.node().gateway().find_borrowed(request.object);
  if (entry && entry->copy() == request.copy.get()) {
    // In this order, as in `seal`.
    shard_.node().gateway().reset_request(request.object);
    waiting_readers{*entry.get()}.restored();
  }
  shard_.send(
    shard_.node().transfers(),
    pull_sealed{request.copy->pulled_as, std::make_shared<copy_pin>(shard_.node(), request.copy)});
}

void pull_buffers::withdraw(const withdraw_pull_buffer& request) {
  auto number = static_cast<std::uint64_t>(request.number);
  const auto* held = shard_.find(number);
  // It was answered meanwhile.
  if (held == nullptr || !held->pull)
    return;
  auto token = *held->pull;
  shard_.tell(&store_table::cancel, token);
  shard_.run();
  // Or before the table heard of this.
  held = shard_.find(number);
  if (held == nullptr || !held->pull)
    return;
  refuse(number,
         {.token = token,
          .id = shard_.id_of(number),
          .error = refusal::store_full,
          .size_bytes = held->copy->space_bytes(),
          .use = shard_.space().inspect([](const store_table& table) { return table.use(); })});
}

void pull_buffers::take_back(const return_pull_buffer& request) {
  auto id = shard_.id_of(request.number);
  shard_.slot_of(id).take_memory_back();
  shard_.tell(&store_table::abort, id);
  shard_.run();
  shard_.drop_unknown(id);
}

void pull_buffers::seal(const seal_pulled& request) {
  auto& copy = *request.copy;
  auto& entry = **request.entry;
  auto id = shard_.id_of(copy.pulled_as);
  auto& held = shard_.slot_of(id);
  held.in_transfer = false;
  shard_.readers().open_here(held);
  // In this order: a reader that is told now, and finds that the copy had to go again, sends a new
  // request.
  shard_.node().gateway().reset_request(entry.id());
  if (entry.phase() == object_phase::stored)
    waiting_readers{entry}.restored();
  // Stored does not mean here: a reader may have found the value in place meanwhile, and nobody
  // would ever release this copy.
  auto in_use =
    entry.phase() == object_phase::stored ? entry.copy() == &copy : entry.seal_stored(copy);
  shard_.tell(&store_table::seal, id);
  shard_.send(shard_.node().transfers(),
              pull_sealed{copy.pulled_as, std::make_shared<copy_pin>(shard_.node(), request.copy)});
  // Nobody reads an object that has failed meanwhile.
  if (!in_use)
    shard_.tell(&store_table::release, id);
  shard_.run();
  shard_.drop_unknown(id);
  shard_.send(shard_.node().cluster(),
              pull_ended{request.entry, pull_outcome::arrived, std::nullopt});
}

void pull_buffers::release(const release_pulled& request) {
  auto id = shard_.id_of(request.copy->pulled_as);
  auto* held = shard_.find(id.sequence);
  if (held == nullptr)
    return;
  if (request.token != nullptr)
    held->token = std::move(*request.token);
  shard_.tell(&store_table::release, id);
  shard_.run();
  shard_.drop_unknown(id);
}

// -- effects --------------------------------------------------------------------------------------

void pull_buffers::grant(shard_slot& held, arena_block memory) {
  held.pull.reset();
  held.lend_memory(std::move(memory));
  shard_.send(shard_.node().transfers(), pull_buffer_answered{held.copy->pulled_as, std::nullopt});
}

void pull_buffers::refuse(std::uint64_t number, const refuse_request& effect) {
  auto named = effect;
  named.id = shard_.slot_of(shard_.id_of(number)).pulled_from;
  shard_.forget(number);
  shard_.send(
    shard_.node().transfers(),
    pull_buffer_answered{pull_number{number}, buffer_refusal{effect.error, shard_.worded(named)}});
}

} // namespace mobula
