#include "shard_shell.hpp"

#include <algorithm>
#include <variant>

#include "overloaded.hpp"

namespace mobula::test {

void shard_shell::carry_out(const shard_effect& effect, shard_effects& effects) {
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
               [&](const report_shard_drained&) {
                 REQUIRE_FALSE(drained);
                 drained = true;
               },
             },
             effect);
}

template <class Effect>
bool shard_shell::has_memory(const Effect& effect, shard_effects& effects) {
  if (!heap || heap->take(effect.id, effect.size_bytes))
    return true;
  ++refused_rooms;
  table.room_refused(effect.id, effects);
  table.check_invariants();
  return false;
}

void shard_shell::serve(const serve_copy& copy, shard_effects& effects) {
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
  REQUIRE(pins[copy.id] == 0);
  REQUIRE(std::find(spills.begin(), spills.end(), copy.id) == spills.end());
  REQUIRE(std::find(restores.begin(), restores.end(), copy.id) == restores.end());
  REQUIRE(words.erase(copy.id) == 1);
  if (heap)
    heap->free(copy.id);
  freed.push_back(copy);
}

void shard_shell::recall(shard_effects& effects) {
  ++recalls;
  if (when_ == answers::late)
    ++open_recalls;
  else
    table.recall_answered(take_idle_credit(), effects);
}

void shard_shell::answer_now(const shard_effect& effect, shard_effects& effects) {
  std::visit(overloaded{
               [&](const try_reclaim& question) { answer_reclaim(question, effects); },
               [&](const check_idle& question) { answer_check(question, effects); },
               [&](const auto&) { FAIL("not a question"); },
             },
             effect);
}

void shard_shell::answer_reclaim(const try_reclaim& question, shard_effects& effects) {
  auto& word = words.at(question.id);
  if (question.known_use && word.last_use() != *question.known_use
      && word.look() == pin_state::idle) {
    refuse(question.id, reclaim_obstacle::used, effects);
    return;
  }
  auto result = question.reason == reclaim_reason::release ? word.doom() : word.try_reclaim();
  if (result == reclaim_result::reclaimed)
    table.reclaim_succeeded(question.id, effects);
  else
    refuse(question.id, reclaim_obstacle::pinned, effects);
}

void shard_shell::answer_check(const check_idle& question, shard_effects& effects) {
  auto& word = words.at(question.id);
  if (word.look() == pin_state::pinned)
    refuse(question.id, reclaim_obstacle::pinned, effects);
  else if (question.known_use && word.last_use() != *question.known_use)
    refuse(question.id, reclaim_obstacle::used, effects);
  else
    table.found_idle(question.id, effects);
}

void shard_shell::refuse(const object_id& id, reclaim_obstacle obstacle, shard_effects& effects) {
  table.reclaim_refused(id, obstacle, words.at(id).last_use(), effects);
}

} // namespace mobula::test
