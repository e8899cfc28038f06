// Feeds the tables of references with what happens to sessions, to references here and to time, and
// carries out their effects.

#include "mobula/actors/exchange/reference_sessions.hpp"

#include <utility>
#include <variant>

#include "mobula/actors/node/node_core.hpp"

namespace mobula {

// -- events ---------------------------------------------------------------------------------------

void reference_sessions::tell(const reference_traffic& traffic) {
  parts_.tables.traffic(traffic, effects_);
  run();
}

void reference_sessions::opened(const peer_session& session) {
  parts_.tables.session_started(session, effects_);
  run();
}

void reference_sessions::closed(const peer_session& session) {
  parts_.tables.session_ended(session, effects_);
  run();
}

void reference_sessions::owner_unreachable(const incarnation_id& owner) {
  parts_.tables.owner_unreachable(owner, effects_);
  run();
}

void reference_sessions::received(const incarnation_id& from, const borrow_references& message,
                                  std::span<const kept_handle> found) {
  parts_.tables.receive(from, message, found, effects_);
  run();
}

void reference_sessions::shut_down(const reference_traffic& last) {
  parts_.tables.traffic(last, effects_);
  parts_.tables.shut_down(effects_);
  // There is nobody to tell and nothing to wait for any more.
  std::erase_if(effects_,
                [](const auto& effect) { return !std::holds_alternative<drop_handles>(effect); });
  run();
}

// -- effects --------------------------------------------------------------------------------------

void reference_sessions::run() {
  // Carrying one out appends none: the events that it causes at the gateway are for the next turn.
  for (auto& effect : std::exchange(effects_, {}))
    std::visit([this](auto& content) { apply(content); }, effect);
  parts_.drain.end_if_done();
}

void reference_sessions::apply(send_to_peer& effect) {
  if (const auto* to = parts_.peers.find(effect.to))
    std::visit([&](auto& content) { parts_.peers.send(*to, std::move(content)); }, effect.message);
}

void reference_sessions::apply(drop_handles& effect) {
  parts_.core.gateway().release(effect.handles);
}

void reference_sessions::apply(fail_references& effect) {
  for (auto token : effect.entries) {
    auto& entry = entry_of(token);
    parts_.core.gateway().forget(entry);
    parts_.borrowed.fail(entry, effect.reason);
  }
}

void reference_sessions::apply(start_grace& effect) {
  auto period = parts_.core.options().grace_period;
  graces_[effect.number] = deadline_after(parts_.core.now(), period);
  start_timer(period, [this, number = effect.number] {
    graces_.erase(number);
    parts_.tables.grace_over(number, effects_);
    run();
  });
}

void reference_sessions::apply(start_lease& effect) {
  start_timer(parts_.core.options().transit_lease, [this, mark = effect.mark] {
    parts_.tables.lease_passed(mark, effects_);
    run();
  });
}

void reference_sessions::apply(connect_to_owner& effect) {
  if (!parts_.peers.contains(effect.owner))
    parts_.host.find_owner(effect.owner);
}

void reference_sessions::start_timer(std::chrono::nanoseconds delay, std::function<void()> at_end) {
  parts_.timers.start(
    delay, [&host = parts_.host, at_end = std::move(at_end)] { host.timer_ended(at_end); });
}

// -- properties -----------------------------------------------------------------------------------

std::uint64_t reference_sessions::left_ms(grace_number grace) const {
  auto now = parts_.core.now();
  auto known = graces_.find(grace);
  if (known == graces_.end() || known->second <= now)
    return 0;
  return static_cast<std::uint64_t>((known->second - now) / std::chrono::milliseconds{1});
}

} // namespace mobula
