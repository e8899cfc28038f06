// Stands for the actors around a store's table: carries out its effects on real pin words and
// imaginary memory, and checks that nobody uses what is freed.

#include "shard_shell.hpp"

#include <algorithm>
#include <variant>

#include "../overloaded.hpp"

namespace mobula::test {

namespace {

/// Credit is seen to at once, whoever caused it.
bool concerns_nobody(const shard_effect& effect) {
  return std::holds_alternative<lend_credit>(effect)
         || std::holds_alternative<recall_credit>(effect);
}

} // namespace

void shard_shell::deliver(std::uint32_t shard) {
  while (!outboxes[shard].empty()) {
    auto effect = outboxes[shard].front();
    outboxes[shard].pop_front();
    store_effects effects{{shard, effect}};
    carry_out_all(shard, effects);
  }
}

void shard_shell::deliver_all() {
  auto waits = [](const auto& outbox) {
    return !outbox.empty();
  };
  while (std::ranges::any_of(outboxes, waits))
    for (std::uint32_t shard = 0; shard < outboxes.size(); ++shard)
      deliver(shard);
}

/// Carrying out an effect may append the effects of a prompt answer.
void shard_shell::carry_out_all(std::uint32_t shard, store_effects& effects) {
  for (std::size_t i = 0; i < effects.size(); ++i) {
    auto next = effects[i];
    if (next.shard == shard || concerns_nobody(next.effect))
      carry_out(next.effect, effects);
    else
      outboxes[next.shard].push_back(std::move(next.effect));
  }
}

std::uint32_t shard_shell::shard_of_question(const shard_effect& question, std::uint32_t shards) {
  auto* reclaim = std::get_if<try_reclaim>(&question);
  const auto& id = reclaim != nullptr ? reclaim->id : std::get<check_idle>(question).id;
  return home_shard(id.sequence, shards);
}

void shard_shell::carry_out(const shard_effect& effect, store_effects& effects) {
  auto ask = [&](const auto& question) {
    if (when_ == answers::late) {
      questions.push_back(question);
      return;
    }
    answer_now(question, effects);
    table.check_invariants();
  };
  std::visit(overloaded{
               [&](const try_reclaim& question) { ask(question); },
               [&](const check_idle& question) { ask(question); },
               [&](const grant_create& grant) {
                 if (!has_memory(grant, effects))
                   return;
                 end(grant.token);
                 granted.insert(grant.token);
                 REQUIRE(words.try_emplace(grant.id).second);
               },
               [&](const serve_copy& copy) { serve(copy, effects); },
               [&](const refuse_request& refused) {
                 end(refused.token);
                 refusals.emplace(refused.token, refused);
               },
               [&](const free_copy& copy) { free(copy); },
               [&](const spill_object& object) { spills.push_back(object.id); },
               [&](const forget_spill& object) { forgotten.insert(object.id); },
               [&](const restore_object& object) {
                 if (!has_memory(object, effects))
                   return;
                 REQUIRE(words.try_emplace(object.id).second);
                 restores.push_back(object.id);
               },
               [&](const lend_credit& credit) { idle_credit += credit.bytes; },
               [&](const recall_credit&) { recall(effects); },
               [&](const report_stall& report) { stall = report; },
               [&](const report_stall_over& report) {
                 if (stall && stall->number == report.number)
                   stall.reset();
               },
               [&](const report_pressure& report) { levels.push_back(report.level); },
               [&](const check_readers&) { ++reader_checks; },
               [&](const report_store_drained&) {
                 REQUIRE_FALSE(drained);
                 drained = true;
               },
             },
             effect);
}

template <class Effect>
bool shard_shell::has_memory(const Effect& effect, store_effects& effects) {
  if (!heap || heap->take(effect.id, effect.size_bytes))
    return true;
  ++memory_refusals;
  table.memory_refused(effect.id, effects);
  table.check_invariants();
  return false;
}

void shard_shell::serve(const serve_copy& copy, store_effects& effects) {
  end(copy.token);
  served.insert(copy.token);
  auto& word = words.at(copy.id);
  REQUIRE(word.try_pin());
  ++pins[copy.id];
  if (how_ == serving::hold)
    return;
  --pins[copy.id];
  if (word.unpin() == unpin_result::tell_shard)
    table.unpinned(copy.id, effects);
}

void shard_shell::free(const free_copy& copy) {
  // The memory is gone since the event that led here.
  REQUIRE_FALSE(words.contains(copy.id));
  freed.push_back(copy);
}

void shard_shell::free_memory(const object_id& id) {
  REQUIRE(pins[id] == 0);
  REQUIRE(std::find(spills.begin(), spills.end(), id) == spills.end());
  REQUIRE(std::find(restores.begin(), restores.end(), id) == restores.end());
  REQUIRE(words.erase(id) == 1);
  if (heap)
    heap->free(id);
}

void shard_shell::recall(store_effects& effects) {
  ++recalls;
  if (when_ == answers::late)
    ++open_recalls;
  else
    table.recall_answered(take_idle_credit(), effects);
}

void shard_shell::answer_now(const shard_effect& effect, store_effects& effects) {
  std::visit(overloaded{
               [&](const try_reclaim& question) { answer_reclaim(question, effects); },
               [&](const check_idle& question) { answer_check(question, effects); },
               [&](const auto&) { FAIL("not a question"); },
             },
             effect);
}

void shard_shell::answer_reclaim(const try_reclaim& question, store_effects& effects) {
  auto& word = words.at(question.id);
  if (question.known_use && word.last_use() != *question.known_use
      && word.look() == pin_state::idle) {
    refuse(question.id, reclaim_obstacle::used, effects);
    return;
  }
  auto result = question.reason == reclaim_reason::release ? word.doom() : word.try_reclaim();
  if (result == reclaim_result::pinned)
    return refuse(question.id, reclaim_obstacle::pinned, effects);
  free_memory(question.id);
  table.reclaim_succeeded(question.id, effects);
}

void shard_shell::answer_check(const check_idle& question, store_effects& effects) {
  auto& word = words.at(question.id);
  if (word.look() == pin_state::pinned)
    refuse(question.id, reclaim_obstacle::pinned, effects);
  else if (question.known_use && word.last_use() != *question.known_use)
    refuse(question.id, reclaim_obstacle::used, effects);
  else
    table.found_idle(question.id, effects);
}

void shard_shell::refuse(const object_id& id, reclaim_obstacle obstacle, store_effects& effects) {
  table.reclaim_refused(id, obstacle, words.at(id).last_use(), effects);
}

} // namespace mobula::test
