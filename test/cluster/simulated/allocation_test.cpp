// What is left when memory runs out in the middle of a step: nothing. Each step is taken again and
// again, with a later allocation that fails each time, until none does.

#include "failing_memory.hpp"
#include "post.hpp"

#include <new>
#include <optional>
#include <utility>

#include <mobula/actors/exchange/successor.hpp>
#include <mobula/actors/node/node_core.hpp>

using namespace mobula;
using namespace std::literals;
using mobula::test::failing_allocation;

namespace {

/// Calls `step` until it says that it is through, and `check` whenever it is not. Returns how often
/// it was not.
template <class Step, class Check>
std::size_t failures_of(Step step, Check check) {
  constexpr std::size_t max_failures = 1'000;
  for (std::size_t number = 1; number <= max_failures; ++number) {
    auto through = false;
    try {
      failing_allocation failure{number};
      through = step();
    } catch (const std::bad_alloc&) {
    }
    if (through)
      return number - 1;
    check();
  }
  FAIL("it never succeeds");
  return max_failures;
}

object_entry& entry_behind(const text_ref& ref) {
  return *ref.handle().get();
}

/// Has a reference arrive at a node. Returns it, and how often memory ran out before.
std::pair<object_handle, std::size_t> arrive_at(const node& at,
                                                const incoming_reference& incoming) {
  auto& gateway = at.core().gateway();
  object_handle arrived;
  auto failures = failures_of(
    [&] {
      arrived = gateway.import_reference(incoming);
      return true;
    },
    [&] { gateway.check_invariants(); });
  return {std::move(arrived), failures};
}

struct short_of_memory : three_nodes {
  /// Wakes the cluster actor, which gets its turn later: what follows need not send it a message,
  /// which must not fail.
  static void wake_ahead(const node& at, const text_ref& ref) {
    auto& gateway = at.core().gateway();
    gateway.cancel_transit(gateway.open_transit(entry_behind(ref)).value());
  }
};

} // namespace

TEST_CASE_FIXTURE(short_of_memory, "a reference that cannot leave leaves nothing behind") {
  auto woken = home.put("another");
  auto ref = home.put("a text");
  sim.run();
  wake_ahead(home, woken);
  auto& gateway = home.core().gateway();
  auto& entry = entry_behind(ref);
  std::optional<transit_number> transit;
  auto failures = failures_of(
    [&] {
      transit = gateway.open_transit(entry);
      return true;
    },
    [&] {
      CHECK(entry.handles() == 1);
      gateway.check_invariants();
    });
  CHECK(failures > 0);
  CHECK(gateway.kept_handles(ref.id().sequence) == 1);
  gateway.cancel_transit(*transit);
}

TEST_CASE_FIXTURE(short_of_memory, "a reference that cannot arrive leaves nothing behind") {
  auto woken = away.put("another");
  auto ref = home.put("a text");
  sim.run();
  wake_ahead(away, woken);
  auto transit = home.core().gateway().open_transit(entry_behind(ref));
  const incoming_reference incoming{.object = ref.id(),
                                    .type = &entry_behind(ref).type(),
                                    .sender = home.incarnation(),
                                    .transit = transit.value()};
  auto [arrived, failures] = arrive_at(away, incoming);
  CHECK(failures > 1);
  CHECK(arrived->id() == ref.id());
}

TEST_CASE_FIXTURE(short_of_memory, "an object that does not exist is one without memory, too") {
  auto ref = home.put("a text");
  sim.run();
  wake_ahead(home, ref);
  const incoming_reference incoming{.object = {.owner = home.incarnation(), .sequence = 1U << 30U},
                                    .type = &entry_behind(ref).type(),
                                    .sender = home.incarnation(),
                                    .transit = transit_number{1U << 30U}};
  auto [arrived, failures] = arrive_at(home, incoming);
  CHECK(failures > 1);
  CHECK(arrived->has_failed());
}

TEST_CASE_FIXTURE(short_of_memory, "references in a value that cannot be noted are let go") {
  send_away(home.put("inner"));
  send_away(home.put("outer"));
  auto woken = away.put("another");
  sim.run();
  wake_ahead(away, woken);
  auto& gateway = away.core().gateway();
  const auto& outer = at_away.letters.at(1).handle();
  auto& inner = entry_behind(at_away.letters.at(0));
  const std::vector<enclosed_reference> references{{inner.id(), &inner.type()}};
  auto handles_before = outer->handles();
  auto failures = failures_of([&] { return gateway.value_read(outer, references).size() == 1; },
                              [&] {
                                CHECK(outer->handles() == handles_before);
                                CHECK(inner.handles() == 1);
                              });
  CHECK(failures > 0);
}

TEST_CASE_FIXTURE(short_of_memory,
                  "an object that goes without memory to say so goes with the next") {
  auto earlier = home.put("before");
  auto ref = home.put("a text");
  sim.run();
  // From here on there is space to note that one goes.
  earlier = {};
  sim.run();
  const auto owned = home.stats().owned.objects;
  {
    // For the message.
    failing_allocation failure{1};
    ref = {};
  }
  sim.run();
  auto another = home.put("another");
  another = {};
  CHECK(home.stats().owned.objects == owned - 1);
}

TEST_CASE_FIXTURE(short_of_memory, "a successor that is not finished goes") {
  for (std::size_t size : {100U, 50'000U, 500'000U})
    send_away(home.put(std::string(size, 'a')));
  CHECK(home.drain(1min).lost == 0);
  sim.remove_node(home);
  sim.run();
  for (const auto& ref : at_away.letters) {
    // Whoever tells the owner of new objects is woken already, as above.
    auto woken = away.put("another");
    object_handle successor;
    auto failures = failures_of(
      [&] {
        successor = successor_of(entry_behind(ref));
        return static_cast<bool>(successor);
      },
      [] {});
    CHECK(failures > 1);
    sim.run();
  }
}
