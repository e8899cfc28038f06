#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "mobula/store/port/data_port.hpp"
#include "mobula/store/transfer/pull_table.hpp"
#include "mobula/store/transfer/push_table.hpp"

namespace mobula::test {

using transfer_bytes = std::vector<std::byte>;

/// Both tables of a node that moves bytes, its objects and its buffers, under one lock: carries out
/// what the tables want, by its data port or by these. Timers never fire by themselves.
class host_tables {
protected:
  host_tables(const incarnation_id& self, pull_config pulls, push_config pushes)
    : self_(self), pull_((pulls.self = self, pulls)), push_(pushes) {
    // nop
  }

  ~host_tables() = default;

  static object_id id_of(std::uint64_t number) {
    return {.owner = {.high = 1, .low = 1}, .sequence = number};
  }

  template <class Event>
  void on_push(Event run) {
    std::lock_guard guard{mutex_};
    push_event(run);
    changed_.notify_all();
  }

  template <class Event>
  void on_pull(Event run) {
    std::lock_guard guard{mutex_};
    pull_event(run);
    changed_.notify_all();
  }

  template <class Event>
  void pull_event(Event run) {
    pull_effects effects;
    run(effects);
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(content); }, effect);
  }

  template <class Event>
  void push_event(Event run) {
    push_effects effects;
    run(effects);
    for (const auto& effect : effects)
      std::visit([&](const auto& content) { carry_out(content); }, effect);
  }

  void locate_locked(std::uint64_t number, std::uint64_t size,
                     const std::vector<incarnation_id>& nodes) {
    location_news news{.owner = id_of(number).owner, .sequence = ++news_, .size_bytes = size};
    for (const auto& node : nodes)
      news.copies.push_back({node, copy_distance::other_host});
    pull_event([&](auto& out) { pull_.located(id_of(number), news, out); });
  }

  incarnation_id self_;
  std::mutex mutex_;
  std::condition_variable changed_;
  pull_table pull_;
  push_table push_;
  std::map<std::uint64_t, std::shared_ptr<transfer_bytes>> objects_;
  std::map<std::uint64_t, std::shared_ptr<transfer_bytes>> buffers_;
  std::vector<pull_timer> timers_;
  std::map<std::uint64_t, std::shared_ptr<transfer_bytes>> given_buffers_;
  std::uint64_t news_ = 0;
  std::unique_ptr<data_port> port_;

private:
  void carry_out(const reserve_buffer& wish) {
    auto& buffer = buffers_[wish.id.sequence];
    buffer = given_buffers_[wish.id.sequence];
    if (buffer == nullptr)
      buffer = std::make_shared<transfer_bytes>(wish.size_bytes);
    pull_event([&](auto& out) { pull_.buffer_granted(wish.id, out); });
  }

  void carry_out(const withdraw_buffer&) {
  }

  void carry_out(const return_buffer& end) {
    buffers_.erase(end.id.sequence);
  }

  void carry_out(const ask_bytes& ask) {
    auto buffer = std::span{*buffers_.at(ask.range.id.sequence)};
    port_->ask(ask, buffer.subspan(ask.range.offset_bytes, ask.range.length_bytes));
  }

  void carry_out(const cancel_ask& cancel) {
    port_->cancel(cancel);
  }

  void carry_out(const close_lane& lane) {
    port_->close(lane);
  }

  void carry_out(const start_pull_timer& timer) {
    timers_.push_back(timer.timer);
  }

  void carry_out(const stop_pull_timer& stop) {
    std::erase(timers_, stop.timer);
  }

  void carry_out(const report_pull_began&) {
  }

  void carry_out(const report_pull_stopped&) {
  }

  void carry_out(const report_arrived& end) {
    objects_[end.id.sequence] = buffers_.at(end.id.sequence);
    buffers_.erase(end.id.sequence);
  }

  void carry_out(const report_pull_failed&) {
  }

  void carry_out(const find_served& find) {
    auto position = objects_.find(find.id.sequence);
    push_event([&](auto& out) {
      if (position == objects_.end())
        push_.not_found(find.id, out);
      else
        push_.found(find.id, position->second->size(), served_from_memory{},
                    byte_ranges{position->second->size()}, out);
    });
  }

  void carry_out(const release_served&) {
  }

  void carry_out(const send_chunk& send) {
    port_->send(send);
  }

  void carry_out(const send_refusal& refusal) {
    port_->refuse(refusal);
  }
};

} // namespace mobula::test
