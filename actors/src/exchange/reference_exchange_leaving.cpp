// A node's leaving: what it asks of those who refer to its objects, and what they do for it.

#include <algorithm>
#include <utility>

#include "message_parts.hpp"
#include "mobula/actors/exchange/reference_exchange.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

// -- the one that leaves --------------------------------------------------------------------------

void reference_exchange::drain(const drain_values& request) {
  turn();
  if (!drain_) {
    drain_.emplace();
    tables_->exports().for_each(
      [this](std::uint64_t sequence) { drain_->table.look_at(sequence); });
  }
  drain_->answers.push_back(request.answer);
  end_drain_if_done();
  if (drain_)
    drain_->limits.push_back(start_timer(request.limit, [this] {
      drain_->table.stop();
      end_drain_if_done();
    }));
}

/// Returns whether there was somebody to ask. Values that are not there yet have nobody who would
/// make them, once this node is gone.
template <class Sequences>
bool reference_exchange::ask_to_keep(const Sequences& looked_at) {
  request_lists lists;
  for (auto sequence : looked_at) {
    auto entry = core_->gateway().find_own(sequence);
    if (!entry || entry->has_failed())
      continue;
    if (entry->phase() == object_phase::pending) {
      drain_->table.pending(sequence);
      continue;
    }
    for (const auto& [node, count] : tables_->exports().borrowers_of(sequence))
      if (peers_.contains(node)
          && drain_->table.ask(node, sequence) == drain_table::asking::first_time)
        lists[node].push_back(sequence);
  }
  for (const auto& [node, sequences] : lists)
    in_parts(sequences, sequences_a_message, [&, &to = peers_.at(node)](auto part) {
      send(to, keep_objects{to.session, {part.begin(), part.end()}});
    });
  return !lists.empty();
}

/// A reference in a message that has not arrived will have a holder that is to be asked as well.
void reference_exchange::end_drain_if_done() {
  if (!drain_ || !drain_->table.done())
    return;
  if (!drain_->table.stopped()
      && (ask_to_keep(drain_->table.take_new()) || tables_->transits().stats().open > 0
          || ask_to_keep(drain_->table.take_pending())))
    return;
  auto ended = *std::exchange(drain_, std::nullopt);
  for (const auto& limit : ended.limits)
    timers_.stop(limit);
  for (const auto& answer : ended.answers)
    answer->set_value(ended.table.result());
}

void reference_exchange::received(const objects_kept& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr || !drain_)
    return;
  drain_->table.kept(*from, message.kept);
  drain_->table.lost(*from, message.lost);
  end_drain_if_done();
}

// -- those who stay -------------------------------------------------------------------------------

void reference_exchange::received(const keep_objects& message) {
  turn();
  if (const auto* from = sender_of(message))
    keeper_->keep(*from, message.sequences);
  send_kept();
}

void reference_exchange::value_ready_to_keep(const keep_ready& news) {
  turn();
  keeper_->ready(news.object);
  send_kept();
}

void reference_exchange::send_kept() {
  for (const auto& [owner, answer] : keeper_->take_answers()) {
    auto known = peers_.find(owner);
    if (known == peers_.end())
      continue;
    const auto& to = known->second;
    in_parts(answer.kept, sequences_a_message, [&](auto part) {
      send(to, objects_kept{to.session, {part.begin(), part.end()}, {}});
    });
    in_parts(answer.lost, sequences_a_message, [&](auto part) {
      send(to, objects_kept{to.session, {}, {part.begin(), part.end()}});
    });
  }
}

} // namespace mobula
