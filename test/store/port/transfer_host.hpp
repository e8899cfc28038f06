#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

#include "host_tables.hpp"

namespace mobula::test {

/// What a node does around its data port, with a lock where a node has an actor: it keeps objects,
/// feeds the port's events to both tables, and carries their effects out. Timers never fire.
class transfer_host final : host_tables, transfer_events, transfer_source {
public:
  explicit transfer_host(std::uint64_t number, data_port_config config = {}, pull_config pulls = {},
                         push_config pushes = {})
    : host_tables({.high = 0xF0, .low = number}, pulls, pushes) {
    config.self = self_;
    auto opened = data_port::open(config, *this, *this);
    if (auto* failure = std::get_if<data_port_failure>(&opened))
      failure_ = failure->message;
    else
      port_ = std::get<std::unique_ptr<data_port>>(std::move(opened));
  }

  ~transfer_host() {
    port_.reset();
  }

  using host_tables::id_of;

  static transfer_token token_of(const incarnation_id& node) {
    transfer_token token;
    token.bytes.fill(static_cast<std::byte>(node.low));
    return token;
  }

  [[nodiscard]] const incarnation_id& self() const {
    return self_;
  }

  [[nodiscard]] data_port& port() {
    return *port_;
  }

  // -- setting up -----------------------------------------------------------------

  void put(std::uint64_t number, std::shared_ptr<transfer_bytes> bytes) {
    std::lock_guard guard{mutex_};
    objects_[number] = std::move(bytes);
  }

  void put(std::uint64_t number, transfer_bytes bytes) {
    put(number, std::make_shared<transfer_bytes>(std::move(bytes)));
  }

  void admit(const incarnation_id& node) {
    port_->admit(node, token_of(node));
  }

  void know(const incarnation_id& node, const data_address& address) {
    know(node, std::vector{address});
  }

  void know(const incarnation_id& node, const std::vector<data_address>& addresses) {
    port_->add_peer(node, addresses, token_of(self_));
  }

  /// Lets each side ask the other.
  void befriend(transfer_host& other) {
    admit(other.self_);
    other.admit(self_);
    know(other.self_, other.port_->address());
    other.know(self_, port_->address());
  }

  /// Serves so many chunks, and then none until the process is killed.
  void stall_after(std::size_t chunks) {
    std::lock_guard guard{mutex_};
    chunks_to_serve_ = chunks;
  }

  /// Takes so long to find the bytes of each chunk, as a port does that has much else to do.
  void serve_slowly(std::chrono::milliseconds pause) {
    std::lock_guard guard{mutex_};
    pause_ = pause;
  }

  /// Uses this buffer instead of a new one, whose pages would all have to be taken first.
  void give_buffer(std::uint64_t number, std::shared_ptr<transfer_bytes> buffer) {
    std::lock_guard guard{mutex_};
    given_buffers_[number] = std::move(buffer);
  }

  /// Returns why there is no port; empty if there is one.
  [[nodiscard]] const std::string& failure() const {
    return failure_;
  }

  void forget(std::uint64_t number) {
    std::lock_guard guard{mutex_};
    objects_.erase(number);
  }

  /// Closes the port; what is seen stays.
  void close_port() {
    port_.reset();
  }

  // -- pulling --------------------------------------------------------------------

  void pull(std::uint64_t number, std::uint64_t size, const std::vector<incarnation_id>& nodes) {
    std::lock_guard guard{mutex_};
    pull_event([&](auto& out) {
      pull_.pull(pull_token{++tokens_}, id_of(number), pull_priority::get, out);
    });
    locate_locked(number, size, nodes);
  }

  void locate(std::uint64_t number, std::uint64_t size, const std::vector<incarnation_id>& nodes) {
    std::lock_guard guard{mutex_};
    locate_locked(number, size, nodes);
  }

  void cancel_all() {
    std::lock_guard guard{mutex_};
    for (std::uint64_t token = 1; token <= tokens_; ++token)
      pull_event([&](auto& out) { pull_.cancel(pull_token{token}, out); });
  }

  void fire_timers() {
    std::lock_guard guard{mutex_};
    for (const auto& timer : std::exchange(timers_, {}))
      pull_event([&](auto& out) { pull_.timer_fired(timer, out); });
  }

  // -- waiting --------------------------------------------------------------------

  /// Waits until a condition of what is seen below holds.
  template <class Condition>
  void wait(Condition holds) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, holds);
  }

  transfer_bytes wait_for(std::uint64_t number) {
    wait([&] { return objects_.contains(number); });
    std::lock_guard guard{mutex_};
    return *objects_.at(number);
  }

  // -- what is seen; only in conditions of `wait` ---------------------------------

  [[nodiscard]] bool has(std::uint64_t number) const {
    return objects_.contains(number);
  }

  [[nodiscard]] std::size_t objects() const {
    return objects_.size();
  }

  [[nodiscard]] pull_stats pulls() const {
    return pull_.stats();
  }

  [[nodiscard]] push_stats pushes() const {
    return push_.stats();
  }

  [[nodiscard]] const std::vector<std::string>& lines() const {
    return lines_;
  }

  /// How often a chunk on its way was told of.
  [[nodiscard]] std::size_t progress() const {
    return progress_;
  }

  /// Bytes that arrived in one turn of the port.
  [[nodiscard]] std::uint64_t most_in_a_turn() const {
    return most_in_a_turn_;
  }

  /// Connections that a source has greeted.
  [[nodiscard]] std::size_t connected() const {
    return connected_;
  }

  /// Why connections could not be made.
  [[nodiscard]] const std::vector<connect_failure>& unreachable() const {
    return unreachable_;
  }

  [[nodiscard]] std::size_t buffers() const {
    return buffers_.size();
  }

private:
  // -- transfer_events ------------------------------------------------------------

  void reader_connected(reader_connection connection, const incarnation_id& node) override {
    std::lock_guard guard{mutex_};
    push_.connected(connection, node);
    changed_.notify_all();
  }

  void reader_disconnected(reader_connection connection) override {
    on_push([&](auto& out) { push_.disconnected(connection, out); });
  }

  void asked(reader_connection connection, ask_number ask, const object_range& range) override {
    on_push([&](auto& out) { push_.asked(connection, ask, range, out); });
  }

  void canceled(reader_connection connection, ask_number ask) override {
    on_push([&](auto& out) { push_.canceled(connection, ask, out); });
  }

  void sent(send_number send) override {
    on_push([&](auto& out) { push_.sent(send, out); });
  }

  void send_failed(send_number send, send_failure failure) override {
    on_push([&](auto& out) { push_.send_failed(send, failure, out); });
  }

  void bytes_arrived(ask_number ask, std::uint64_t bytes) override {
    on_pull([&](auto& out) {
      pull_.bytes_arrived(ask, bytes, out);
      in_this_turn_ += bytes;
      most_in_a_turn_ = std::max(most_in_a_turn_, in_this_turn_);
    });
  }

  void ask_finished(ask_number ask) override {
    on_pull([&](auto& out) { pull_.ask_finished(ask, out); });
  }

  void ask_refused(ask_number ask, refusal_reason reason) override {
    on_pull([&](auto& out) { pull_.ask_refused(ask, reason, out); });
  }

  void ask_lost(ask_number ask) override {
    on_pull([&](auto& out) { pull_.ask_lost(ask, out); });
  }

  void lane_progressed(const incarnation_id& node, data_lane lane) override {
    on_pull([&](auto&) {
      pull_.lane_progressed(node, lane);
      ++progress_;
    });
  }

  void source_connected(const incarnation_id&) override {
    on_pull([&](auto&) { ++connected_; });
  }

  void source_unreachable(const incarnation_id&, connect_failure why) override {
    on_pull([&](auto&) { unreachable_.push_back(why); });
  }

  void connection_refused(std::string_view why) override {
    std::lock_guard guard{mutex_};
    lines_.emplace_back(why);
    changed_.notify_all();
  }

  /// Its tables hear of each event at once.
  void turn_ended() override {
    std::lock_guard guard{mutex_};
    in_this_turn_ = 0;
  }

  // -- transfer_source ------------------------------------------------------------

  std::optional<served_bytes> pin(const send_chunk& chunk) override {
    std::lock_guard guard{mutex_};
    std::this_thread::sleep_for(pause_);
    if (chunks_to_serve_ && (*chunks_to_serve_)-- == 0)
      ::pause();
    auto position = objects_.find(chunk.range.id.sequence);
    if (position == objects_.end())
      return std::nullopt;
    auto bytes = std::span<const std::byte>{*position->second};
    return served_bytes{bytes.subspan(chunk.range.offset_bytes, chunk.range.length_bytes),
                        position->second};
  }

  std::size_t progress_ = 0;
  std::uint64_t in_this_turn_ = 0;
  std::uint64_t most_in_a_turn_ = 0;
  std::size_t connected_ = 0;
  std::vector<connect_failure> unreachable_;
  std::vector<std::string> lines_;
  std::optional<std::size_t> chunks_to_serve_;
  std::chrono::milliseconds pause_{0};
  std::uint64_t tokens_ = 0;
  std::string failure_;
};

} // namespace mobula::test
