#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../numbered_ids.hpp"
#include "../overloaded.hpp"
#include "mobula/store/transfer/pull_table.hpp"

namespace mobula::test {

/// Carries out a pull table's effects with an imaginary store and network. Every event checks the
/// table's invariants, every effect that memory is never given back while an ask may write there.
class pull_shell {
public:
  /// Chunks of ten bytes, two at a time, unless a test says otherwise.
  static pull_config small(pull_config config = {}) {
    if (config.self.empty())
      config.self = node_number(1'000);
    config.chunk_bytes = 10;
    config.chunks_per_pull = 2;
    return config;
  }

  explicit pull_shell(pull_config config = small()) : table(config) {
  }

  // -- requests -------------------------------------------------------------------

  pull_token pull(std::uint64_t number, pull_priority priority = pull_priority::get) {
    auto token = pull_token{++tokens_};
    event([&](auto& out) { table.pull(token, object_number(number), priority, out); });
    return token;
  }

  void cancel(pull_token token) {
    event([&](auto& out) { table.cancel(token, out); });
  }

  void fail(std::uint64_t number, error_type error) {
    event([&](auto& out) { table.fail(object_number(number), error, out); });
  }

  /// News with the next sequence.
  void locate(std::uint64_t number, std::uint64_t size_bytes, std::vector<std::uint64_t> nodes) {
    news(number, {.sequence = ++sequence_, .size_bytes = size_bytes, .copies = copies_on(nodes)});
  }

  void news(std::uint64_t number, location_news news) {
    news.owner = object_number(number).owner;
    event([&](auto& out) { table.located(object_number(number), news, out); });
  }

  static std::vector<copy_location> copies_on(const std::vector<std::uint64_t>& nodes) {
    std::vector<copy_location> result;
    for (auto node : nodes)
      result.push_back({node_number(node), copy_distance::other_host});
    return result;
  }

  void node_lost(std::uint64_t node) {
    event([&](auto& out) { table.node_lost(node_number(node), out); });
  }

  // -- the store ------------------------------------------------------------------

  void grant(std::uint64_t number) {
    REQUIRE(reservations.erase(number) == 1);
    withdrawn.erase(number);
    buffers.insert(number);
    event([&](auto& out) { table.buffer_granted(object_number(number), out); });
  }

  void refuse_buffer(std::uint64_t number) {
    REQUIRE(reservations.erase(number) == 1);
    withdrawn.erase(number);
    event([&](auto& out) { table.buffer_refused(object_number(number), out); });
  }

  void find_whole(std::uint64_t number) {
    REQUIRE(reservations.erase(number) == 1);
    event([&](auto& out) { table.buffer_unneeded(object_number(number), out); });
  }

  void memory_tight(std::uint64_t bytes) {
    event([&](auto& out) { table.memory_tight(bytes, out); });
  }

  /// Pulls, locates and grants: the object's first asks are under way.
  void start(std::uint64_t number, std::uint64_t size_bytes, std::vector<std::uint64_t> nodes,
             pull_priority priority = pull_priority::get) {
    pull(number, priority);
    locate(number, size_bytes, std::move(nodes));
    grant(number);
  }

  // -- the network ----------------------------------------------------------------

  void arrive(std::uint64_t bytes, std::size_t index = 0) {
    auto number = asks.at(index).ask;
    event([&](auto& out) { table.bytes_arrived(number, bytes, out); });
    partly_[number] += bytes;
  }

  /// Everything that is missing of an ask.
  void deliver(std::size_t index = 0) {
    auto ask = take(index);
    auto rest = ask.range.length_bytes - partly_[ask.ask];
    event([&](auto& out) { table.bytes_arrived(ask.ask, rest, out); });
    event([&](auto& out) { table.ask_finished(ask.ask, out); });
  }

  void refuse(refusal_reason reason, std::size_t index = 0) {
    auto ask = take(index);
    event([&](auto& out) { table.ask_refused(ask.ask, reason, out); });
  }

  void lose(std::size_t index = 0) {
    auto ask = take(index);
    event([&](auto& out) { table.ask_lost(ask.ask, out); });
  }

  /// Part of a chunk for one of the asks.
  void progress(std::size_t index = 0) {
    const auto& ask = asks.at(index);
    table.lane_progressed(ask.node, ask.lane);
  }

  void deliver_all() {
    while (!asks.empty())
      deliver();
  }

  // -- time -----------------------------------------------------------------------

  /// Fires every timer with this purpose that was set so far, the outdated ones among them too.
  void fire(pull_timer_purpose purpose) {
    auto due = timers;
    std::erase_if(timers, [&](const auto& set) { return set.timer.purpose == purpose; });
    for (const auto& set : due)
      if (set.timer.purpose == purpose)
        fire_timer(set.timer);
  }

  /// Fires the first timer with this purpose that was set and has not fired.
  void fire_oldest(pull_timer_purpose purpose) {
    auto oldest = std::ranges::find(timers, purpose, purpose_of);
    REQUIRE(oldest != timers.end());
    auto timer = oldest->timer;
    timers.erase(oldest);
    fire_timer(timer);
  }

  template <class Event>
  void event(Event run) {
    pull_effects effects;
    run(effects);
    table.check_invariants();
    for (const auto& effect : effects)
      carry_out(effect);
  }

  // -- what is seen ---------------------------------------------------------------

  /// Returns the nodes asked by the asks under way.
  std::vector<std::uint64_t> asked_nodes() const {
    std::vector<std::uint64_t> result;
    for (const auto& ask : asks)
      result.push_back(ask.node.low);
    return result;
  }

  /// Returns where the asks under way begin.
  std::vector<std::uint64_t> asked_offsets() const {
    std::vector<std::uint64_t> result;
    for (const auto& ask : asks)
      result.push_back(ask.range.offset_bytes);
    return result;
  }

  std::set<std::uint64_t> reserving() const {
    std::set<std::uint64_t> result;
    for (const auto& [number, priority] : reservations)
      result.insert(number);
    return result;
  }

  /// Returns how many timers with this purpose were set and have not fired.
  std::ptrdiff_t timers_for(pull_timer_purpose purpose) const {
    return std::ranges::count(timers, purpose, purpose_of);
  }

  /// REQUIRES: such a timer was set and has not fired.
  std::uint64_t last_delay(pull_timer_purpose purpose) const {
    REQUIRE(timers_for(purpose) > 0);
    return std::find_if(timers.rbegin(), timers.rend(),
                        [&](const auto& set) { return purpose_of(set) == purpose; })
      ->delay_ms;
  }

  pull_table table;
  std::map<std::uint64_t, reserve_priority> reservations; ///< not answered
  std::set<std::uint64_t> withdrawn;                      ///< of the reservations
  std::set<std::uint64_t> buffers;
  std::set<std::uint64_t> serving;
  std::deque<ask_bytes> asks; ///< under way
  std::set<ask_number> canceled;
  std::vector<close_lane> closed_lanes;
  std::vector<start_pull_timer> timers;
  std::set<std::uint64_t> running_timers; ///< neither over nor stopped
  std::map<std::uint64_t, int> arrived;
  std::map<std::uint64_t, error_type> failed;

private:
  void fire_timer(const pull_timer& timer) {
    running_timers.erase(timer.generation);
    event([&](auto& out) { table.timer_fired(timer, out); });
  }

  static pull_timer_purpose purpose_of(const start_pull_timer& set) {
    return set.timer.purpose;
  }

  ask_bytes take(std::size_t index) {
    auto ask = asks.at(index);
    asks.erase(asks.begin() + static_cast<std::ptrdiff_t>(index));
    return ask;
  }

  void require_quiet(const object_id& id) const {
    for (const auto& ask : asks)
      REQUIRE(ask.range.id != id);
    REQUIRE(buffers.contains(id.sequence));
  }

  void carry_out(const pull_effect& effect) {
    std::visit(
      overloaded{
        [&](const reserve_buffer& wish) {
          REQUIRE(reservations.emplace(wish.id.sequence, wish.priority).second);
          REQUIRE_FALSE(buffers.contains(wish.id.sequence));
        },
        [&](const withdraw_buffer& wish) {
          REQUIRE(reservations.contains(wish.id.sequence));
          REQUIRE(withdrawn.insert(wish.id.sequence).second);
        },
        [&](const return_buffer& end) {
          require_quiet(end.id);
          REQUIRE_FALSE(serving.contains(end.id.sequence));
          buffers.erase(end.id.sequence);
        },
        [&](const ask_bytes& ask) {
          REQUIRE(buffers.contains(ask.range.id.sequence));
          asks.push_back(ask);
        },
        [&](const cancel_ask& cancel) { REQUIRE(canceled.insert(cancel.ask).second); },
        [&](const close_lane& lane) { closed_lanes.push_back(lane); },
        [&](const start_pull_timer& timer) {
          timers.push_back(timer);
          running_timers.insert(timer.timer.generation);
        },
        // It may fire all the same.
        [&](const stop_pull_timer& stop) {
          REQUIRE(running_timers.erase(stop.timer.generation) == 1);
        },
        [&](const report_pull_began& began) { REQUIRE(serving.insert(began.id.sequence).second); },
        [&](const report_pull_stopped& end) { REQUIRE(serving.erase(end.id.sequence) == 1); },
        [&](const report_arrived& end) {
          require_quiet(end.id);
          buffers.erase(end.id.sequence);
          REQUIRE(serving.erase(end.id.sequence) == 1);
          ++arrived[end.id.sequence];
        },
        [&](const report_pull_failed& end) { failed.insert_or_assign(end.id.sequence, end.error); },
      },
      effect);
  }

  std::uint64_t tokens_ = 0;
  std::uint64_t sequence_ = 0;
  std::map<ask_number, std::uint64_t> partly_;
};

/// Of one that admits so few pulls at once.
inline pull_config narrow(std::size_t max_admitted) {
  return pull_shell::small({.max_admitted = max_admitted});
}

using numbers = std::set<std::uint64_t>;

} // namespace mobula::test
