// A node's leaving: what it asks of those who refer to its objects, and how long it waits.

#include "mobula/actors/exchange/value_drain.hpp"

#include <map>
#include <utility>

#include "message_parts.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

void value_drain::begin(const drain_values& request) {
  if (!drain_) {
    drain_.emplace();
    tables_.exports().for_each([this](std::uint64_t sequence) { drain_->table.look_at(sequence); });
  }
  drain_->answers.push_back(request.answer);
  end_if_done();
  if (drain_)
    drain_->limits.push_back(timers_.start(request.limit, [this] { limit_reached(); }));
}

/// Nothing is told to the tables, or asked of them, and so no turn comes first: a drain ends with
/// what has been said until then. And a turn might end it.
void value_drain::limit_reached() {
  core_.count_message();
  drain_->table.stop();
  end_if_done();
}

void value_drain::look_at(std::uint64_t sequence) {
  if (drain_)
    drain_->table.look_at(sequence);
}

void value_drain::let_go(const incarnation_id& node, std::uint64_t sequence) {
  if (drain_)
    drain_->table.let_go(node, sequence);
}

void value_drain::node_left(const incarnation_id& node) {
  if (drain_)
    drain_->table.node_left(node);
}

void value_drain::kept(const incarnation_id& from, const objects_kept& message) {
  if (!drain_)
    return;
  drain_->table.kept(from, message.kept);
  drain_->table.lost(from, message.lost);
  end_if_done();
}

/// Returns whether there was somebody to ask. Values that are not there yet have nobody who would
/// make them, once this node is gone.
template <class Sequences>
bool value_drain::ask_to_keep(const Sequences& looked_at) {
  std::map<incarnation_id, std::vector<std::uint64_t>> lists;
  for (auto sequence : looked_at) {
    auto entry = core_.gateway().find_own(sequence);
    if (!entry || entry->has_failed())
      continue;
    if (entry->phase() == object_phase::pending) {
      drain_->table.pending(sequence);
      continue;
    }
    for (const auto& [node, count] : tables_.exports().borrowers_of(sequence))
      if (peers_.contains(node)
          && drain_->table.ask(node, sequence) == drain_table::asking::first_time)
        lists[node].push_back(sequence);
  }
  for (const auto& [node, sequences] : lists)
    in_parts(sequences, sequences_a_message, [&, &to = *peers_.find(node)](auto part) {
      peers_.send(to, keep_objects{to.session, {part.begin(), part.end()}});
    });
  return !lists.empty();
}

/// A reference in a message that has not arrived will have a holder that is to be asked as well.
void value_drain::end_if_done() {
  if (!drain_ || !drain_->table.done())
    return;
  if (!drain_->table.stopped()
      && (ask_to_keep(drain_->table.take_new()) || tables_.transits().stats().open > 0
          || ask_to_keep(drain_->table.take_pending())))
    return;
  auto ended = *std::exchange(drain_, std::nullopt);
  for (const auto& limit : ended.limits)
    timers_.stop(limit);
  for (const auto& answer : ended.answers)
    answer->set_value(ended.table.result());
}

} // namespace mobula
