// An owner's side of values that others may name: answers what they request, and tells them what
// was freed.

#include "mobula/actors/exchange/lent_values.hpp"

#include <algorithm>
#include <utility>

#include "message_parts.hpp"
#include "mobula/actors/exchange/object_reply.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

namespace {

/// Many enough that what a message costs does not count.
constexpr std::size_t objects_an_answer = 500;

} // namespace

lent_values::lent_values(node_core& core, exchange_peers& peers, const export_table& exports)
  : core_(core), peers_(peers), exports_(exports),
    copies_(core.incarnation(), own_arena(core).host.boot_id), server_(core, copies_) {
  // nop
}

// -- what happened on this node -------------------------------------------------------------------

void lent_values::ready(std::span<const std::uint64_t> sequences) {
  for (auto sequence : sequences)
    server_.ready(sequence);
  send_answers();
}

void lent_values::freed(std::span<const std::uint64_t> sequences) {
  for (auto sequence : sequences)
    notify_borrowers(sequence);
  send_answers();
}

/// A node that borrows the object from now on requests it, and learns of the failure then.
void lent_values::notify_borrowers(std::uint64_t sequence) {
  auto entry = core_.gateway().find_own(sequence);
  if (!entry)
    return;
  auto news = reply_with_error(sequence, reply_outcome::failed, entry->failure());
  for (const auto& [node, count] : exports_.borrowers_of(sequence))
    if (const auto* to = peers_.find(node))
      server_.reply(news, {node, to->session});
}

void lent_values::send_answers() {
  for (auto& [reader, answer] : server_.take_answers())
    if (const auto* to = peers_.find(reader))
      peers_.send(*to, std::move(answer));
}

// -- messages -------------------------------------------------------------------------------------

void lent_values::received(const incarnation_id& from, const request_objects& message) {
  // A node that has returned an object gets no reply. It may have borrowed it anew meanwhile, and
  // then requests it anew: a reply to the first request must not be taken for one to the second.
  auto sequences = message.sequences;
  std::erase_if(sequences, [&](auto each) { return !exports_.borrows(from, each); });
  auto large_form = message.form != reply_form::bytes && can_transfer(core_, *peers_.find(from))
                      ? reply_form::description
                      : reply_form::bytes;
  // Piece by piece: an answer is encoded and on its way while the next one is put together.
  in_parts(sequences, objects_an_answer, [&](auto piece) {
    server_.requested(
      {{from, message.session}, message.form, large_form, message.max_message_bytes}, piece);
    send_answers();
  });
}

void lent_values::received(const incarnation_id& from, const report_copies& message) {
  for (const auto& copy : message.copies)
    copies_.report(from, copy);
}

void lent_values::received(const incarnation_id& from, const free_objects& message) {
  // A node that frees an object holds it: frees are sent before returns.
  for (auto sequence : message.sequences)
    if (exports_.borrows(from, sequence))
      free_object(*core_.gateway().find_own(sequence).get());
}

void lent_values::received(const objects_unpinned& message) {
  for (auto sequence : message.sequences)
    core_.send_to_shard(core_.shard_of(sequence), copy_unpinned{sequence});
}

void lent_values::tell_of_failure(std::uint64_t sequence, const peer_session& reader) {
  if (auto entry = core_.gateway().find_own(sequence))
    server_.reply(reply_with_error(sequence, reply_outcome::failed, entry->failure()), reader);
}

bool lent_values::is_known_to(const incarnation_id& node, std::uint64_t sequence) const {
  return server_.awaited(sequence) || copies_.has_copy(sequence, node);
}

void lent_values::returned(const incarnation_id& node, std::uint64_t sequence) {
  server_.let_go(node, sequence);
  copies_.copy_gone(sequence, node);
}

} // namespace mobula
