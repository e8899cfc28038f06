#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../overloaded.hpp"
#include "mobula/store/heap/heap_relief.hpp"

namespace mobula::test {

inline constexpr std::size_t limit = 1'000;

/// A heap of values that leave when they are told to, and of bytes that stay.
class heap_shell {
public:
  heap_relief relief{{.limit_bytes = limit, .threshold = 0.8, .low_water = 0.6, .max_leaving = 4}};
  std::uint64_t staying = 0;
  std::deque<std::size_t> idle; ///< sizes, the oldest first
  std::deque<std::size_t> decoded;
  std::deque<std::size_t> leaving;
  std::size_t waiting = 0;
  std::size_t woken = 0;
  std::size_t refused = 0;
  std::vector<stall_number> stalls;

  [[nodiscard]] std::uint64_t used() const {
    auto sum = staying;
    for (const auto* list : {&idle, &decoded, &leaving})
      for (auto size : *list)
        sum += size;
    return sum;
  }

  void look() {
    relief.looked(used(), effects_);
    run();
  }

  void put(std::size_t size) {
    idle.push_back(size);
    look();
  }

  void wait(std::size_t size) {
    ++waiting;
    relief.await_space(size, used(), effects_);
    run();
  }

  /// The oldest of those that leave has an answer.
  void end(heap_leave_end end) {
    auto size = leaving.front();
    leaving.pop_front();
    if (end == heap_leave_end::pinned)
      idle.push_back(size);
    else if (end != heap_leave_end::left)
      staying += size;
    relief.leave_ended(size, end, used(), effects_);
    run();
  }

  void store_has_space() {
    relief.store_has_space(used(), effects_);
    run();
  }

  void give_up(stall_number number) {
    relief.give_up(number, effects_);
    run();
  }

private:
  void run() {
    for (std::size_t next = 0; next < effects_.size(); ++next) {
      auto effect = effects_[next];
      std::visit(overloaded{[this](const choose_victims& wanted) { choose(wanted); },
                            [this](const wake_heap_waiters&) { woken += take_waiting(); },
                            [this](const refuse_heap_waiters& refusal) {
                              REQUIRE(refusal.count <= waiting);
                              waiting -= refusal.count;
                              refused += refusal.count;
                            },
                            [this](const report_heap_stall& stall) {
                              stalls.push_back(stall.number);
                            }},
                 effect);
    }
    effects_.clear();
    REQUIRE(relief.waiting() == waiting);
    REQUIRE(relief.leaving().objects == leaving.size());
    REQUIRE(leaving.size() <= 4);
  }

  std::size_t take_waiting() {
    REQUIRE(waiting > 0);
    return std::exchange(waiting, 0);
  }

  void choose(const choose_victims& wanted) {
    object_tally victims;
    choose_from(decoded, wanted, victims);
    if (wanted.among == heap_choice::all)
      choose_from(idle, wanted, victims);
    relief.chosen(victims, effects_);
  }

  void choose_from(std::deque<std::size_t>& from, const choose_victims& wanted,
                   object_tally& victims) {
    while (!from.empty() && victims.bytes < wanted.bytes && victims.objects < wanted.max_objects) {
      leaving.push_back(from.front());
      victims.add(from.front());
      from.pop_front();
    }
  }

  heap_effects effects_;
};

} // namespace mobula::test
