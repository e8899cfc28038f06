// Cases with another process: values read in its arena, references handed to it and back, and many
// references in one message.

#include "cases.hpp"

#include <memory>
#include <string>
#include <vector>

#include "partner.hpp"
#include "shared_memory.hpp"

namespace mobula::bench {

namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

using shared_partner = std::shared_ptr<partner_on_demand>;

// -- reading in place -----------------------------------------------------------------------------

void read_again_and_again(benchmark::State& state, mobula::node& node,
                          const ObjectRef<array<std::byte>>& ref) {
  benchmark::DoNotOptimize(*node.get(ref)->data());
  for (auto _ : state)
    benchmark::DoNotOptimize(*node.get(ref)->data());
}

side gets_elsewhere(const shared_partner& partner, std::size_t bytes) {
  return [partner, bytes](benchmark::State& state) {
    auto& process = partner->get();
    caf::scoped_actor self{process.system()};
    auto made = ask<object_made>(self, process.actor(), make_object{bytes});
    read_again_and_again(state, process.node(), made.ref);
  };
}

side gets_at_home(const shared_partner& partner, std::size_t bytes) {
  return [partner, bytes](benchmark::State& state) {
    auto& node = partner->get().node();
    std::vector<std::byte> content(bytes);
    read_again_and_again(state, node, node.put(array<std::byte>{content}));
  };
}

comparison reading_case(std::string name, const shared_partner& partner, std::size_t bytes) {
  return {.name = "get_elsewhere/" + std::move(name),
          .measured = gets_elsewhere(partner, bytes),
          .baseline = "get of a stored object of the own process",
          .reference = gets_at_home(partner, bytes),
          .budget = budget{budget::subject::value, budget::bound::below, 1000},
          .obstacle = [bytes] {
            return lack_of_shared_memory(2 * bytes);
          }};
}

// -- handing over ---------------------------------------------------------------------------------

side hands_over(const shared_partner& partner) {
  return [partner](benchmark::State& state) {
    auto& process = partner->get();
    caf::scoped_actor self{process.system()};
    for (auto _ : state) {
      auto ref = process.node().put(payload<kib>{});
      benchmark::DoNotOptimize(ask<handed_over>(self, process.actor(), handed_over{ref}).ref);
    }
  };
}

/// The same bytes, as an actor without Mobula would send them.
side round_trips(const shared_partner& partner) {
  return [partner](benchmark::State& state) {
    auto& process = partner->get();
    caf::scoped_actor self{process.system()};
    const std::string content(kib, 'x');
    for (auto _ : state)
      benchmark::DoNotOptimize(ask<std::string>(self, process.actor(), content).data());
  };
}

// -- many references ------------------------------------------------------------------------------

constexpr std::size_t many = 10'000;

side sends_many(const shared_partner& partner) {
  return [partner](benchmark::State& state) {
    auto& process = partner->get();
    caf::scoped_actor self{process.system()};
    for (auto _ : state) {
      state.PauseTiming();
      handed_over_many message;
      for (std::size_t count = 0; count < many; ++count)
        message.refs.push_back(process.node().put(payload<64>{count}));
      settle(process.node());
      state.ResumeTiming();
      benchmark::DoNotOptimize(ask<std::uint64_t>(self, process.actor(), message));
      // Their end is not what is measured.
      state.PauseTiming();
      message.refs.clear();
      settle(process.node());
      state.ResumeTiming();
    }
  };
}

side sends_as_many_strings(const shared_partner& partner) {
  return [partner](benchmark::State& state) {
    auto& process = partner->get();
    caf::scoped_actor self{process.system()};
    const std::vector<std::string> content(many, std::string(64, 'x'));
    for (auto _ : state)
      benchmark::DoNotOptimize(ask<std::uint64_t>(self, process.actor(), content));
  };
}

} // namespace

void add_cluster_cases(std::vector<comparison>& cases, scale sizes) {
  auto partner = std::make_shared<partner_on_demand>();
  cases.push_back(reading_case("1KiB", partner, kib));
  cases.push_back(reading_case("1MiB", partner, mib));
  if (sizes == scale::large)
    cases.push_back(reading_case("1GiB", partner, kib * mib));
  cases.push_back({.name = "hand_over/1KiB",
                   .unit = unit::microseconds,
                   .measured = hands_over(partner),
                   .baseline = "1 KiB as a string to the same actor and back",
                   .reference = round_trips(partner),
                   .budget = budget{budget::subject::ratio, budget::bound::at_most, 1.2}});
  cases.push_back({.name = "send_references/10k",
                   .unit = unit::milliseconds,
                   .measured = sends_many(partner),
                   .baseline = "10,000 strings of 64 bytes to the same actor",
                   .reference = sends_as_many_strings(partner),
                   .budget = budget{budget::subject::value, budget::bound::below, 20}});
}

} // namespace mobula::bench
