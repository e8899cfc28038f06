#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../numbered_ids.hpp"
#include "../overloaded.hpp"
#include "mobula/store/transfer/push_table.hpp"

namespace mobula::test {

/// Carries out a push table's effects with an imaginary store and network. Every event checks the
/// table's invariants, every effect that objects are sent only while they are kept.
class push_shell {
public:
  /// Chunks of ten bytes.
  static push_config small(push_config config = {}) {
    config.chunk_bytes = 10;
    return config;
  }

  explicit push_shell(push_config config = small()) : table(config) {
  }

  // -- readers --------------------------------------------------------------------

  void connect(std::uint64_t connection, std::uint64_t node) {
    table.connected(reader_connection{connection}, node_number(node));
  }

  void disconnect(std::uint64_t connection) {
    event([&](auto& out) { table.disconnected(reader_connection{connection}, out); });
  }

  void ask(std::uint64_t connection, std::uint64_t ask, std::uint64_t object,
           std::uint64_t offset = 0, std::uint64_t length = 10) {
    event([&](auto& out) {
      table.asked(reader_connection{connection}, ask_number{ask},
                  {object_number(object), offset, length}, out);
    });
  }

  void cancel(std::uint64_t connection, std::uint64_t ask) {
    event([&](auto& out) { table.canceled(reader_connection{connection}, ask_number{ask}, out); });
  }

  // -- objects --------------------------------------------------------------------

  void find(std::uint64_t object, std::uint64_t size, served_place place = served_from_memory{}) {
    find_partly(object, size, byte_ranges{size}, place);
  }

  void find_partly(std::uint64_t object, std::uint64_t size, const byte_ranges& available,
                   served_place place = served_from_memory{}) {
    REQUIRE(finding.erase(object) == 1);
    kept.insert(object);
    event([&](auto& out) { table.found(object_number(object), size, place, available, out); });
  }

  void miss(std::uint64_t object) {
    REQUIRE(finding.erase(object) == 1);
    event([&](auto& out) { table.not_found(object_number(object), out); });
  }

  void arrive(std::uint64_t object, byte_range range) {
    event([&](auto& out) { table.bytes_arrived(object_number(object), range, out); });
  }

  void lose_object(std::uint64_t object) {
    event([&](auto& out) { table.object_gone(object_number(object), out); });
  }

  // -- the network ----------------------------------------------------------------

  void finish_send(std::size_t index = 0) {
    auto chunk = take(index);
    sent[{chunk.connection, chunk.ask}].push_back(chunk.range);
    event([&](auto& out) { table.sent(chunk.send, out); });
  }

  void fail_send(send_failure failure, std::size_t index = 0) {
    auto chunk = take(index);
    event([&](auto& out) { table.send_failed(chunk.send, failure, out); });
  }

  void finish_all() {
    while (!sends.empty())
      finish_send();
  }

  template <class Event>
  void event(Event run) {
    push_effects effects;
    run(effects);
    table.check_invariants();
    for (const auto& effect : effects)
      carry_out(effect);
  }

  /// Returns the asks whose chunks are under way, in order.
  std::vector<std::uint64_t> sending() const {
    std::vector<std::uint64_t> result;
    for (const auto& chunk : sends)
      result.push_back(static_cast<std::uint64_t>(chunk.ask));
    return result;
  }

  /// Returns how many bytes were sent for an ask, and that they were in order.
  std::uint64_t sent_bytes(std::uint64_t connection, std::uint64_t ask) {
    std::uint64_t result = 0;
    const auto& ranges = sent[{reader_connection{connection}, ask_number{ask}}];
    for (const auto& range : ranges) {
      REQUIRE(range.offset_bytes == ranges.front().offset_bytes + result);
      result += range.length_bytes;
    }
    return result;
  }

  push_table table;
  std::set<std::uint64_t> finding;
  std::set<std::uint64_t> kept;
  std::deque<send_chunk> sends; ///< under way
  std::map<std::pair<reader_connection, ask_number>, std::vector<object_range>> sent;
  std::map<std::uint64_t, refusal_reason> refused; ///< by ask

private:
  send_chunk take(std::size_t index) {
    auto chunk = sends.at(index);
    sends.erase(sends.begin() + static_cast<std::ptrdiff_t>(index));
    return chunk;
  }

  void carry_out(const push_effect& effect) {
    std::visit(overloaded{
                 [&](const find_served& find) {
                   REQUIRE(finding.insert(find.id.sequence).second);
                   REQUIRE_FALSE(kept.contains(find.id.sequence));
                 },
                 [&](const release_served& release) {
                   for (const auto& chunk : sends)
                     REQUIRE(chunk.range.id != release.id);
                   REQUIRE(kept.erase(release.id.sequence) == 1);
                 },
                 [&](const send_chunk& chunk) {
                   REQUIRE(kept.contains(chunk.range.id.sequence));
                   sends.push_back(chunk);
                 },
                 [&](const send_refusal& refusal) {
                   auto number = static_cast<std::uint64_t>(refusal.ask);
                   REQUIRE(refused.emplace(number, refusal.reason).second);
                 },
               },
               effect);
  }
};

} // namespace mobula::test
