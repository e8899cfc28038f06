// Cases of values that other processes pull, against a plain TCP stream of the same bytes, and of
// one value that spreads to many.

#include "cases.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../raw_socket.hpp"
#include "manual_timing.hpp"
#include "partner.hpp"
#include "shared_memory.hpp"

namespace mobula::bench {

namespace {

using test::raw_socket;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

using bytes_ref = ObjectRef<array<std::byte>>;

/// Asks for a node's figures until they are as wanted: each answer takes part in all its actors.
template <class Condition>
void await_figures(mobula::node& node, Condition holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (!holds(node.stats()))
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error{"a node does not let go of what was pulled:\n"
                               + to_string(node.stats())};
}

/// Values that no node of this process or its partners reads in place.
partner_setup pulling(std::size_t partners) {
  return {.partners = partners, .reading = "off"};
}

// -- from a partner to here -----------------------------------------------------------------------

/// Objects of one size that a partner owns.
class stocked_partner {
public:
  stocked_partner(std::size_t objects, std::size_t object_bytes)
    : objects_(objects), object_bytes_(object_bytes) {
    // nop
  }

  /// The first time, it stocks the partner and pulls everything, so that this node's arena has its
  /// pages, as the plain stream's buffers do.
  partner_process& get() {
    auto& process = partner_.get();
    if (is_stocked_)
      return process;
    stock_up(process);
    is_stocked_ = true;
    // Shards take turns.
    for (std::uint32_t shard = 0; shard < process.node().options().shards; ++shard)
      pull();
    return process;
  }

  /// Returns how long it took until all values were here. They are gone again when it returns.
  double pull() {
    auto& process = get();
    caf::scoped_actor self{process.system()};
    auto refs = ask<stock>(self, process.actor(), show_stock{}).refs;
    outcomes<array<std::byte>> values;
    auto result = seconds_of([&] { values = process.node().get_all(refs); });
    for (const auto& value : values)
      if (!value.has_value())
        throw object_error{value.error()};
    values.clear();
    refs.clear();
    await_figures(process.node(), [](const node_stats& stats) {
      return stats.borrowed_objects == 0 && stats.resident.objects == 0;
    });
    return result;
  }

  [[nodiscard]] std::size_t objects() const noexcept {
    return objects_;
  }

  [[nodiscard]] std::size_t object_bytes() const noexcept {
    return object_bytes_;
  }

private:
  /// CAF may run an actor in the thread of the network: what takes long would have the partner pass
  /// for dead.
  static constexpr std::size_t bytes_an_ask = 256 * mib;

  void stock_up(partner_process& process) const {
    caf::scoped_actor self{process.system()};
    const auto most = std::max<std::size_t>(1, bytes_an_ask / object_bytes_);
    for (std::size_t done = 0; done < objects_; done += most)
      ask<std::uint64_t>(self, process.actor(),
                         stock_objects{std::min(most, objects_ - done), object_bytes_});
  }

  std::size_t objects_;
  std::size_t object_bytes_;
  partner_on_demand partner_{pulling(1)};
  bool is_stocked_ = false;
};

using shared_stock = std::shared_ptr<stocked_partner>;

side pulls(const shared_stock& goods) {
  return [goods](benchmark::State& state) {
    goods->get();
    for (auto _ : state)
      state.SetIterationTime(goods->pull());
  };
}

/// The partner writes straight from its arena, and waits for one byte before each time.
side streams(const shared_stock& goods) {
  return [goods](benchmark::State& state) {
    auto& process = goods->get();
    caf::scoped_actor self{process.system()};
    auto listener = raw_socket::listen_anywhere();
    ask<std::uint64_t>(self, process.actor(), stream_stock{listener.port()});
    auto partner = listener.accept();
    // Faulted in.
    std::vector<std::vector<std::byte>> buffers(
      goods->objects(), std::vector<std::byte>(goods->object_bytes(), std::byte{1}));
    const std::array go{std::byte{1}};
    for (auto _ : state)
      state.SetIterationTime(seconds_of([&] {
        partner.send(go);
        for (auto& buffer : buffers)
          partner.receive_into(buffer);
      }));
  };
}

comparison pull_case(std::string name, std::size_t objects, std::size_t bytes, double limit) {
  auto goods = std::make_shared<stocked_partner>(objects, bytes);
  return {.name = "pull/" + std::move(name),
          .unit = unit::gigabytes_per_second,
          .measured = pulls(goods),
          .baseline = "the same bytes from that process as one plain TCP stream",
          .reference = streams(goods),
          .budget = budget{budget::subject::ratio, budget::bound::at_least, limit},
          .bytes = objects * bytes,
          .timing = timing::manual,
          // In both arenas, with what rounding adds.
          .obstacle = [=] {
            return lack_of_shared_memory(objects * bytes / 4 * 9);
          }};
}

// -- from here to many partners -------------------------------------------------------------------

constexpr std::size_t spread_bytes = 64 * mib;
constexpr std::size_t readers = 8;

/// What it takes to have one value read by some of the partners at once.
struct spreading {
  double seconds = 0;
  std::uint64_t pushed_bytes = 0; ///< by the owner, this process
};

spreading spread(partner_process& process, std::size_t count) {
  auto& node = process.node();
  auto builder = node.create<array<std::byte>>(spread_bytes);
  std::ranges::fill(builder.elements(), std::byte{1});
  auto ref = builder.seal();
  const auto before = node.stats().pushed_bytes;
  caf::scoped_actor self{process.system()};
  const auto seconds = seconds_of([&] {
    for (std::size_t reader = 0; reader < count; ++reader)
      self->send(process.actors()[reader], read_object{ref});
    std::size_t left = count;
    self->receive_while([&] { return left > 0; })(
      [&](const object_read&) { --left; },
      [](caf::error& error) { throw object_error{to_error_info(error)}; });
  });
  const auto pushed = node.stats().pushed_bytes - before;
  ref = {};
  await_figures(node, [](const node_stats& stats) {
    return stats.exported_objects == 0 && stats.resident.objects == 0;
  });
  return {.seconds = seconds, .pushed_bytes = pushed};
}

using shared_partners = std::shared_ptr<partner_on_demand>;

side spreads(const shared_partners& partners, std::size_t count) {
  return [partners, count](benchmark::State& state) {
    for (auto _ : state)
      state.SetIterationTime(spread(partners->get(), count).seconds);
  };
}

side pushed_while_spreading(const shared_partners& partners, std::size_t count) {
  return [partners, count](benchmark::State& state) {
    for (auto _ : state) {
      const auto seen = spread(partners->get(), count);
      state.SetIterationTime(seen.seconds);
      state.counters[measured_counter] = static_cast<double>(seen.pushed_bytes);
    }
  };
}

/// Eight readers at a time need cores for as many senders and receivers.
std::optional<budget> budget_of_spreading() {
  if (std::thread::hardware_concurrency() < 2 * readers)
    return std::nullopt;
  return budget{budget::subject::ratio, budget::bound::at_most, 2};
}

void add_spread_cases(std::vector<comparison>& cases) {
  auto partners = std::make_shared<partner_on_demand>(pulling(readers));
  auto obstacle = [] {
    return lack_of_shared_memory((readers + 2) * spread_bytes);
  };
  cases.push_back({.name = "spread/64MiB/8",
                   .unit = unit::milliseconds,
                   .measured = spreads(partners, readers),
                   .baseline = "one process reads it",
                   .reference = spreads(partners, 1),
                   .budget = budget_of_spreading(),
                   .timing = timing::manual,
                   .obstacle = obstacle});
  cases.push_back({.name = "spread_pushed/64MiB/8",
                   .unit = unit::bytes,
                   .measured = pushed_while_spreading(partners, readers),
                   .baseline = "bytes that the owner sends to one process",
                   .reference = pushed_while_spreading(partners, 1),
                   .timing = timing::manual,
                   .obstacle = obstacle});
}

} // namespace

void add_pull_cases(std::vector<comparison>& cases) {
  cases.push_back(pull_case("256MiB", 1, 256 * mib, 0.8));
  cases.push_back(pull_case("10kx200KiB", 10'000, 200 * kib, 0.6));
  add_spread_cases(cases);
}

} // namespace mobula::bench
