#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../numbered_ids.hpp"
#include "gap_heap.hpp"
#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/arena/pin_word.hpp"
#include "mobula/store/shard/store_table.hpp"
#include "mobula/store/spill/spill_effects.hpp"

namespace mobula::test {

inline request_token token_number(std::uint64_t number) {
  return request_token{number};
}

/// Whether questions about pins are answered within the event or when the test says so.
enum class answers { prompt, late };

/// Whether a served reader keeps its pin or lets go at once.
enum class serving { glance, hold };

/// Carries out a shard's effects on real pin words and imaginary memory and disk. Every event
/// checks the table's invariants, every free that nobody still uses the memory.
class shard_shell {
public:
  explicit shard_shell(store_config config = {.capacity_bytes = 100,
                                              .spill_threshold = 1.0,
                                              .low_water = 1.0},
                       answers when = answers::prompt, serving how = serving::glance)
    : outboxes(config.shards), table(config), when_(when), how_(how) {
  }

  // -- clients ----------------------------------------------------------------

  void create(std::uint64_t number, std::size_t size, copy_kind kind = copy_kind::primary) {
    event_of(number, [&](auto& out) {
      table.create(token_number(number), object_number(number), size, kind, out);
    });
  }

  void seal(std::uint64_t number) {
    words[object_number(number)].reset();
    event_of(number, [&](auto& out) { table.seal(object_number(number), out); });
  }

  void put(std::uint64_t number, std::size_t size, copy_kind kind = copy_kind::primary) {
    create(number, size, kind);
    REQUIRE(granted.contains(token_number(number)));
    seal(number);
  }

  void abort(std::uint64_t number) {
    free_memory(object_number(number));
    event_of(number, [&](auto& out) { table.abort(object_number(number), out); });
  }

  void release(std::uint64_t number) {
    event_of(number, [&](auto& out) { table.release(object_number(number), out); });
  }

  void request(std::uint64_t token, std::uint64_t number) {
    requested[token] = number;
    event_of(number, [&](auto& out) {
      table.request_copy(token_number(token), object_number(number), out);
    });
  }

  void cancel(std::uint64_t token) {
    auto request = requested.find(token);
    event_of(request == requested.end() ? token : request->second,
             [&](auto& out) { table.cancel(token_number(token), out); });
  }

  void lend(std::size_t bytes) {
    event([&](auto& out) { table.lend(bytes, out); });
  }

  /// A creator takes space out of the idle credit, without telling the shard.
  void take_credit(std::size_t bytes) {
    REQUIRE(bytes <= idle_credit);
    idle_credit -= bytes;
  }

  void add_sealed(std::uint64_t number, std::size_t size, copy_kind kind = copy_kind::primary) {
    words[object_number(number)].reset();
    event_of(number, [&](auto& out) { table.add_sealed(object_number(number), size, kind, out); });
  }

  void take_back(std::size_t bytes) {
    event([&](auto& out) { table.take_back(bytes, out); });
  }

  // -- readers ----------------------------------------------------------------

  bool pin(std::uint64_t number) {
    auto word = words.find(object_number(number));
    if (word == words.end() || !word->second.try_pin())
      return false;
    ++pins[word->first];
    return true;
  }

  void touch(std::uint64_t number) {
    words[object_number(number)].touch(table.current_stamp());
  }

  void unpin(std::uint64_t number) {
    auto id = object_number(number);
    REQUIRE(pins[id] > 0);
    --pins[id];
    if (words[id].unpin() == unpin_result::tell_shard)
      tell_unpinned(id);
  }

  void tell_unpinned(const object_id& id) {
    event_of(id.sequence, [&](auto& out) { table.unpinned(id, out); });
  }

  // -- the disk ---------------------------------------------------------------

  void finish_spill() {
    auto id = take_front(spills);
    event_of(id.sequence, [&](auto& out) { table.spill_finished(id, out); });
  }

  void fail_spill(spill_error error) {
    fail_spill_late(error);
    tell_late_failure(late_failures.size() - 1);
  }

  /// The table does not hear of it yet.
  void fail_spill_late(spill_error error) {
    late_failures.push_back({take_front(spills), error, round});
    spills_failed = spills_failed || error != spill_error::canceled;
  }

  void tell_late_failure(std::size_t index = 0) {
    auto failure = late_failures.at(index);
    late_failures.erase(late_failures.begin() + static_cast<std::ptrdiff_t>(index));
    event_of(failure.id.sequence,
             [&](auto& out) { table.spill_failed(failure.id, failure.error, failure.round, out); });
  }

  void finish_all_spills() {
    while (!spills.empty())
      finish_spill();
  }

  void finish_restore() {
    auto id = take_front(restores);
    words[id].reset();
    event_of(id.sequence, [&](auto& out) { table.restore_finished(id, out); });
  }

  void fail_restore(restore_error error) {
    auto id = take_front(restores);
    free_memory(id);
    event_of(id.sequence, [&](auto& out) { table.restore_failed(id, error, out); });
  }

  void spilling_possible() {
    round = spill_round{static_cast<std::uint64_t>(round) + 1};
    spills_failed = false;
    event([&](auto& out) { table.spilling_possible(round, out); });
  }

  void give_up() {
    REQUIRE(stall.has_value());
    auto number = stall->number;
    stall.reset();
    event([&](auto& out) { table.give_up(number, out); });
  }

  void shut_down() {
    deliver_all();
    event([&](auto& out) { table.shut_down(out); });
  }

  // -- late answers -----------------------------------------------------------

  /// Answers one open question; each object has at most one.
  void answer(std::size_t index) {
    auto question = questions.at(index);
    questions.erase(questions.begin() + static_cast<std::ptrdiff_t>(index));
    store_effects effects;
    answer_now(question, effects);
    carry_out_all(shard_of_question(question, static_cast<std::uint32_t>(outboxes.size())),
                  effects);
  }

  void answer_recall() {
    --open_recalls;
    event([&](auto& out) { table.recall_answered(take_idle_credit(), out); });
  }

  /// What happens at the shard of an object, which carries out first what waits for it there.
  template <class Event>
  void event_of(std::uint64_t number, Event run) {
    event_at(shard_of(number), run);
  }

  template <class Event>
  void event(Event run) {
    event_at(0, run);
  }

  template <class Event>
  void event_at(std::uint32_t shard, Event run) {
    deliver(shard);
    store_effects effects;
    run(effects);
    table.check_invariants();
    carry_out_all(shard, effects);
    REQUIRE(table.stats().used_bytes == table.used_bytes());
  }

  std::uint32_t shard_of(std::uint64_t number) const {
    return home_shard(number, static_cast<std::uint32_t>(outboxes.size()));
  }

  // -- other shards -----------------------------------------------------------

  /// Has a shard carry out what other shards' events caused there.
  void deliver(std::uint32_t shard);

  void deliver_all();

  std::optional<refusal> refused(std::uint64_t token) const {
    auto position = refusals.find(token_number(token));
    return position == refusals.end() ? std::nullopt : std::optional{position->second.error};
  }

  bool was_granted(std::uint64_t token) const {
    return granted.contains(token_number(token));
  }

  bool was_served(std::uint64_t token) const {
    return served.contains(token_number(token));
  }

  bool in_memory(std::uint64_t number) const {
    return words.contains(object_number(number));
  }

  std::vector<std::uint64_t> spill_order() const {
    std::vector<std::uint64_t> result;
    for (const auto& id : spills)
      result.push_back(id.sequence);
    return result;
  }

  std::vector<std::uint64_t> freed_order() const {
    std::vector<std::uint64_t> result;
    for (const auto& copy : freed)
      result.push_back(copy.id.sequence);
    return result;
  }

  std::vector<std::deque<shard_effect>> outboxes;   ///< of the shards
  std::map<std::uint64_t, std::uint64_t> requested; ///< objects by the tokens of their readers
  /// Without one, every grant finds memory.
  std::optional<gap_heap> heap;
  std::size_t memory_refusals = 0;
  store_table table;
  std::map<object_id, pin_word> words; ///< one for each piece of memory
  std::map<object_id, int> pins;
  std::set<request_token> granted;
  std::set<request_token> served;
  std::map<request_token, refuse_request> refusals;
  std::deque<shard_effect> questions;
  std::deque<object_id> spills;
  std::vector<report_spill_failed> late_failures;
  spill_round round{};        ///< of the disk
  bool spills_failed = false; ///< in this round
  std::deque<object_id> restores;
  std::vector<free_copy> freed;
  std::set<object_id> forgotten;
  std::vector<pressure_level> levels;
  std::optional<report_stall> stall;
  std::size_t idle_credit = 0;
  std::size_t open_recalls = 0;
  std::size_t recalls = 0;
  std::size_t reader_checks = 0;
  bool drained = false;

private:
  static object_id take_front(std::deque<object_id>& queue) {
    REQUIRE_FALSE(queue.empty());
    auto id = queue.front();
    queue.pop_front();
    return id;
  }

  std::size_t take_idle_credit() {
    return std::exchange(idle_credit, 0);
  }

  void end(request_token token) {
    REQUIRE_FALSE(granted.contains(token));
    REQUIRE_FALSE(served.contains(token));
    REQUIRE_FALSE(refusals.contains(token));
  }

  void carry_out_all(std::uint32_t shard, store_effects& effects);
  static std::uint32_t shard_of_question(const shard_effect& question, std::uint32_t shards);
  void carry_out(const shard_effect& effect, store_effects& effects);
  void free_memory(const object_id& id);

  template <class Effect>
  bool has_memory(const Effect& effect, store_effects& effects);

  void serve(const serve_copy& copy, store_effects& effects);
  void free(const free_copy& copy);
  void recall(store_effects& effects);
  void answer_now(const shard_effect& effect, store_effects& effects);
  void answer_reclaim(const try_reclaim& question, store_effects& effects);
  void answer_check(const check_idle& question, store_effects& effects);
  void refuse(const object_id& id, reclaim_obstacle obstacle, store_effects& effects);

  answers when_;
  serving how_;
};

/// A store of 100 bytes whose object 1 is on disk and object 2, of 60, in memory.
struct spilled_fixture : shard_shell {
  spilled_fixture() {
    put(1, 60);
    create(2, 60);
    finish_spill();
    seal(2);
  }
};

} // namespace mobula::test
