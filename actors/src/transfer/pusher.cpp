// Serves values to other nodes over the data port, as the push table decides: from memory, from a
// spill file, or from a copy that is itself arriving, as far as it has come.

#include "pusher.hpp"

#include <utility>

#include "mobula/store/port/transfer_port.hpp"

namespace mobula {

namespace {

push_config push_config_of(const node_core& core) {
  push_config result;
  result.chunk_bytes = core.options().transfer_chunk_bytes;
  // The owner plans which node reads from which (`copy_directory`), and a reader that finds nothing
  // where it was sent turns to the owner.
  result.readers_per_object = result.max_asks;
  return result;
}

} // namespace

pusher::pusher(node_core& core, arriving_copies& arriving)
  : core_(core), arriving_(arriving), table_(push_config_of(core)) {
  arriving.report_to(*this);
}

void pusher::open(std::shared_ptr<transfer_port> port, std::shared_ptr<served_values> values) {
  port_ = std::move(port);
  values_ = std::move(values);
}

void pusher::close() {
  locating_.clear();
  waiting_.clear();
  if (values_)
    values_->let_all_go();
}

// -- events ---------------------------------------------------------------------------------------

void pusher::source_left(const incarnation_id& node) {
  table_.node_lost(node, effects_);
  run();
}

void pusher::received(const reader_connected& news) {
  table_.connected(news.connection, news.node);
}

void pusher::received(const reader_disconnected& news) {
  table_.disconnected(news.connection, effects_);
  run();
}

void pusher::received(const reader_asked& news) {
  table_.asked(news.connection, news.ask, news.range, effects_);
  run();
}

void pusher::received(const reader_canceled& news) {
  table_.canceled(news.connection, news.ask, effects_);
  run();
}

void pusher::received(const chunk_sent& news) {
  table_.sent(news.send, effects_);
  run();
}

void pusher::received(const chunk_not_sent& news) {
  table_.send_failed(news.send, news.failure, effects_);
  run();
}

void pusher::record_found(const mobula::record_found& answer) {
  auto entry = locating_.extract(answer.id);
  if (entry.empty())
    return;
  if (answer.place) {
    auto size = answer.place->data_bytes;
    served_from_file place{answer.place->location, answer.place->metadata_bytes};
    values_->keep_on_disk(answer.id, *answer.place);
    table_.found(answer.id, size, place, byte_ranges{size}, effects_);
  } else {
    // It is in memory again, or was on its way to the disk a moment ago.
    restore(answer.id, std::move(entry.mapped()));
  }
  run();
}

void pusher::ready(const served_ready& news) {
  const auto& id = news.id;
  auto ended = waiting_.extract(id);
  if (ended.empty())
    return;
  auto& watch = ended.mapped();
  auto there = watch.end();
  if (there.pin) {
    serve(id, std::move(there.pin));
  } else if (there.failure || core_.closing()) {
    table_.not_found(id, effects_);
  } else {
    // It went to disk again, or there is an error in its place by now.
    find(id, watch.take_entry());
  }
  run();
}

// -- copies that arrive ---------------------------------------------------------------------------

void pusher::pull_settled(const object_id& object) {
  if (parked_.erase(object) == 0)
    return;
  find_pulled(object);
  run();
}

void pusher::copy_grew(const object_id& object, pull_number number, byte_range range) {
  if (!is_served_as(object, number))
    return;
  table_.bytes_arrived(object, range, effects_);
  run();
}

void pusher::copy_stopped(const object_id& object, pull_number number) {
  if (!is_served_as(object, number))
    return;
  table_.object_gone(object, effects_);
  run();
}

bool pusher::is_served_as(const object_id& object, pull_number number) const {
  auto served = served_as_.find(object);
  return served != served_as_.end() && served->second == number;
}

// -- effects --------------------------------------------------------------------------------------

/// Carries effects out; carrying one out may append others.
void pusher::run() {
  for (std::size_t next = 0; next < effects_.size(); ++next) {
    auto effect = effects_[next];
    std::visit([this](const auto& content) { apply(content); }, effect);
    if (!std::holds_alternative<release_served>(effect))
      unreadable_.reset();
  }
  effects_.clear();
}

void pusher::serve(const object_id& id, pinned_value pin) {
  auto kept = std::make_shared<const pinned_value>(std::move(pin));
  auto bytes = kept->value().bytes();
  values_->keep(id, bytes, std::move(kept));
  table_.found(id, bytes.size(), served_from_memory{}, byte_ranges{bytes.size()}, effects_);
}

void pusher::serve(const object_id& id, pull_number number) {
  auto lent = arriving_.lend(number);
  values_->keep(id, lent.bytes, std::move(lent.keeper));
  served_as_[id] = number;
  table_.found(id, lent.bytes.size(), served_from_memory{}, lent.here, effects_);
}

void pusher::find(const object_id& id, object_handle entry) {
  if (auto pin = entry->try_pin())
    return serve(id, std::move(pin));
  if (entry->phase() != object_phase::stored)
    return table_.not_found(id, effects_);
  if (unreadable_ == id)
    return restore(id, std::move(entry));
  locating_.insert_or_assign(id, std::move(entry));
  caf::anon_send(core_.spill_manager(), find_record{id});
}

void pusher::restore(const object_id& id, object_handle entry) {
  auto tell = [core = core_pointer{&core_}, id] {
    if (node_core::services_use use{*core})
      caf::anon_send(core->transfers(), served_ready{id});
  };
  waiting_.emplace(id, entry_watch{std::move(entry), std::move(tell)});
}

/// Looks for another node's value: whole, or else in its latest pull.
void pusher::find_pulled(const object_id& id) {
  if (auto entry = core_.gateway().find_borrowed(id))
    if (auto pin = entry->try_pin())
      return serve(id, std::move(pin));
  auto latest = arriving_.latest(id);
  if (!latest)
    return table_.not_found(id, effects_);
  if (arriving_.has_buffer(*latest))
    serve(id, *latest);
  else
    parked_.insert(id);
}

/// The node that asks holds the object, so that others may name it.
void pusher::apply(const find_served& effect) {
  if (effect.id.owner != core_.incarnation())
    find_pulled(effect.id);
  else if (auto entry = core_.gateway().find_own(effect.id.sequence))
    find(effect.id, std::move(entry));
  else
    table_.not_found(effect.id, effects_);
}

void pusher::apply(const release_served& effect) {
  served_as_.erase(effect.id);
  waiting_.erase(effect.id);
  if (values_->let_go(effect.id) == served_values::found_out::unreadable)
    unreadable_ = effect.id;
}

void pusher::apply(const send_chunk& effect) {
  port_->send(effect);
}

void pusher::apply(const send_refusal& effect) {
  port_->refuse(effect);
}

// -- properties -----------------------------------------------------------------------------------

void pusher::add_figures(node_stats& stats) const {
  auto figures = table_.stats();
  stats.pushes += figures.asks + figures.objects + figures.sends;
  stats.pushed_bytes += figures.sent_bytes;
  stats.refused_asks += figures.refusals;
}

void pusher::check_invariants() const {
  table_.check_invariants();
}

} // namespace mobula
