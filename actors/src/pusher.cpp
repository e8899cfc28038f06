#include "pusher.hpp"

#include <utility>

namespace mobula {

class served_watch final : public wait_group {
public:
  served_watch(transfers_actor owner, const object_id& id) : owner_(std::move(owner)), id_(id) {
    // nop
  }

private:
  void fire() override {
    caf::anon_send(owner_, served_ready{id_});
  }

  transfers_actor owner_;
  object_id id_;
};

namespace {

push_config config_of(const node_core& core) {
  push_config result;
  result.chunk_bytes = core.options().transfer_chunk_bytes;
  // Readers have nobody else to turn to: an object's owner is the only source that they know.
  result.readers_per_object = result.max_asks;
  return result;
}

} // namespace

pusher::pusher(node_core& core) : core_(core), table_(config_of(core)) {
  // nop
}

pusher::~pusher() = default;

void pusher::open(std::shared_ptr<transfer_port> port, std::shared_ptr<served_values> values) {
  port_ = std::move(port);
  values_ = std::move(values);
}

void pusher::close() {
  waiting_.clear();
  if (values_)
    values_->let_all_go();
}

// -- events ---------------------------------------------------------------------------------------

void pusher::source_left(const incarnation_id& node) {
  table_.node_lost(node, effects_);
  run();
}

void pusher::received(const reader_came& news) {
  table_.connected(news.connection, news.node);
}

void pusher::received(const reader_went& news) {
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

void pusher::ready(const object_id& id) {
  auto ended = waiting_.extract(id);
  if (ended.empty())
    return;
  auto& object = ended.mapped();
  if (auto pin = object.watch->take_pin(0)) {
    serve(id, std::move(pin));
  } else if (object.watch->take_failure(0) || core_.closing()) {
    table_.not_found(id, effects_);
  } else {
    // It went to disk again, or there is an error in its place by now.
    find(id, std::move(object.entry));
  }
  run();
}

// -- effects --------------------------------------------------------------------------------------

/// Carries effects out; carrying one out may append others.
void pusher::run() {
  for (std::size_t next = 0; next < effects_.size(); ++next) {
    auto effect = effects_[next];
    std::visit([this](const auto& content) { apply(content); }, effect);
  }
  effects_.clear();
}

void pusher::serve(const object_id& id, pinned_value pin) {
  auto size = pin.value().bytes().size();
  values_->keep(id, std::move(pin));
  table_.found(id, size, served_from_memory{}, byte_ranges{size}, effects_);
}

void pusher::find(const object_id& id, object_handle entry) {
  if (auto pin = entry->try_pin())
    return serve(id, std::move(pin));
  if (entry->phase() != object_phase::stored)
    return table_.not_found(id, effects_);
  wait_handle<served_watch> watch{new served_watch(core_.transfers(), id)};
  auto& group = *watch;
  object_entry* entries[] = {entry.get()};
  waiting_.emplace(id, watched_object{std::move(entry), std::move(watch)});
  group.arm(entries, 1, wait_goal::readable);
}

/// Whoever asks holds the object, so that others may name it.
void pusher::apply(const find_served& effect) {
  auto entry = effect.id.owner == core_.incarnation() ? core_.border().find_own(effect.id.sequence)
                                                      : object_handle{};
  if (entry)
    find(effect.id, std::move(entry));
  else
    table_.not_found(effect.id, effects_);
}

void pusher::apply(const release_served& effect) {
  waiting_.erase(effect.id);
  values_->let_go(effect.id);
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
