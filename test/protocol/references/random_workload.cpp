// Makes a random workload from a seed, runs it against a simulated cluster, and thins out one that
// fails until it is short enough to read.

#include "random_workload.hpp"

#include <algorithm>
#include <array>

namespace mobula::test {

namespace {

constexpr unsigned max_depth = 6;

act random_act(random_source& random) {
  constexpr std::array<act, 25> acts{
    act::create, act::create,    act::create,      act::create,       act::copy,
    act::drop,   act::drop,      act::drop,        act::drop,         act::drop,
    act::send,   act::send,      act::send,        act::send,         act::send,
    act::send,   act::send_home, act::send_newest, act::send_newest,  act::read,
    act::read,   act::read,      act::cancel,      act::send_to_none, act::free_and_drop,
  };
  return acts[random.below(acts.size())];
}

/// A failure, and perhaps its mending later.
void add_failure(workload& work, random_source& random, std::uint64_t duration) {
  operation failure{.time = random.below(random.below(2) == 0 ? duration : duration / 4),
                    .what = random.below(2) == 0 ? act::crash : act::sever,
                    .where = random.below(work.options.nodes),
                    .other = random.below(work.options.nodes),
                    .choice = random.next()};
  work.operations.push_back(failure);
  if (random.below(3) == 0)
    return;
  failure.time += random.below(duration / 2);
  failure.what = failure.what == act::crash ? act::restart : act::heal;
  work.operations.push_back(failure);
}

/// Carries out operations against one cluster.
class workload_run {
public:
  explicit workload_run(const workload& work) : cluster_(work.options) {
    if (work.connected)
      cluster_.connect_all();
    for (const auto& operation : work.operations)
      cluster_.at(operation.time, [this, operation] { carry_out(operation); });
    cluster_.on_received(
      [this](place where, const user_message& message) { react(where, message); });
  }

  void run(std::uint64_t until) {
    while (cluster_.now() < until && cluster_.step()) {
    }
    ending_ = true;
    cluster_.finish();
  }

  simulated_cluster& cluster() noexcept {
    return cluster_;
  }

private:
  void carry_out(const operation& what) {
    if (what.what == act::restart) {
      cluster_.restart(what.where);
      for (place other = 0; other < cluster_.places(); ++other)
        if ((what.choice >> other) % 4 != 0)
          cluster_.connect(what.where, other);
      return;
    }
    if (what.what == act::sever)
      return cluster_.sever(what.where, what.other,
                            what.choice % 2 == 0 ? cut::passing : cut::until_healed);
    if (what.what == act::heal)
      return cluster_.heal(what.where, what.other);
    if (!cluster_.lives(what.where) || ending_)
      return;
    if (what.what == act::crash)
      return cluster_.crash(what.where);
    if (what.what == act::create)
      return create(what);
    if (auto held = cluster_.node(what.where).held(); !held.empty())
      use(what, held);
  }

  void create(const operation& what) {
    auto& node = cluster_.node(what.where);
    auto held = node.held();
    std::vector<object_id> nested;
    for (std::uint64_t i = 0; i < what.choice % 4 && !held.empty(); ++i)
      if (const auto& inner = held[(what.choice >> (8 * (i + 1))) % held.size()];
          node.depth_of(inner) < max_depth)
        nested.push_back(inner);
    node.create(nested);
    if (gives_away(what))
      drop(what.where, nested);
  }

  /// Whether nothing but what was made or sent is to keep the objects alive: what is held in many
  /// places is never freed too early.
  static bool gives_away(const operation& what) {
    return (what.choice >> 60U) % 2 == 0;
  }

  void drop(place where, const std::vector<object_id>& objects) {
    for (const auto& object : objects)
      if (cluster_.node(where).holds(object) > 0)
        cluster_.node(where).drop(object);
  }

  void use(const operation& what, const std::vector<object_id>& held) {
    auto& node = cluster_.node(what.where);
    const auto& object = held[what.choice % held.size()];
    switch (what.what) {
      case act::copy:
        return node.copy(object);
      case act::drop:
        return node.drop(object);
      case act::free_and_drop:
        node.free(object);
        return node.drop(object);
      case act::send_home:
        return send(what, static_cast<place>(object.owner.high - 1), {object});
      case act::send_newest:
        return send(what, what.other, {held.back()});
      case act::send_to_none:
        return send(what, what.other, {object}, receiver::gone);
      case act::cancel:
        return node.cancel(node.serialize({object}));
      case act::read:
        node.read(object);
        break;
      default:
        return send(what, what.other, some_of(what, held));
    }
    if (gives_away(what))
      drop(what.where, {object});
  }

  static std::vector<object_id> some_of(const operation& what, const std::vector<object_id>& held) {
    std::vector<object_id> result;
    for (std::uint64_t i = 0; i <= (what.choice >> 40U) % 3; ++i)
      result.push_back(held[(what.choice >> (8 * i)) % held.size()]);
    return result;
  }

  void send(const operation& what, place to, const std::vector<object_id>& objects,
            receiver who = receiver::there) {
    if (cluster_.lives(to))
      cluster_.connect(what.where, to);
    cluster_.send(what.where, to, objects, who);
    if (gives_away(what))
      drop(what.where, objects);
  }

  /// The receiving application drops or hands on at once what it gets, now and then.
  void react(place where, const user_message& message) {
    if (ending_)
      return;
    auto choice = cluster_.random().below(6);
    for (const auto& reference : message.references)
      if (choice == 0)
        cluster_.node(where).drop(reference.object);
    auto next = static_cast<place>(cluster_.random().below(cluster_.places()));
    if (choice > 1 || next == where)
      return;
    if (choice == 1)
      cluster_.send(where, next, {message.references.front().object});
  }

  simulated_cluster cluster_;
  bool ending_ = false;
};

void add(coverage& seen, simulated_cluster& cluster) {
  seen.messages += cluster.messages();
  for (place where = 0; where < cluster.places(); ++where) {
    if (!cluster.lives(where))
      continue;
    const auto& tables = cluster.node(where).tables();
    seen.borrowed += tables.exports().stats().borrowed;
    seen.unknown += tables.exports().stats().unknown;
    seen.came_home += tables.exports().stats().came_home;
    seen.strange += tables.exports().stats().strange;
    seen.ended_by_owner += tables.transits().stats().ended_by_owner;
    seen.ended_by_barrier += tables.transits().stats().ended_by_barrier;
    seen.canceled += tables.transits().stats().canceled;
    seen.owner_died += tables.borrows().stats().owner_died;
  }
}

std::uint64_t end_of(const workload& work) {
  std::uint64_t result = 0;
  for (const auto& operation : work.operations)
    result = std::max(result, operation.time + 1);
  return result;
}

} // namespace

workload make_workload(std::uint64_t seed) {
  random_source random{seed};
  workload work;
  work.options.seed = seed;
  work.options.nodes = 2 + random.below(5);
  work.connected = random.below(4) != 0;
  constexpr std::array<std::uint64_t, 4> leases{10, 60, 300, 1'000};
  work.options.lease = leases[random.below(leases.size())];
  work.options.limits.max_batch_references = random.below(4) == 0 ? 1 + random.below(3) : 65'536;
  constexpr std::array<std::uint64_t, 4> durations{100, 400, 1'500, 5'000};
  auto duration = durations[random.below(durations.size())];
  auto failed = random.below(3) == 0 ? 0 : 1 + random.below(4);
  work.options.expect = failed == 0 ? failures::none : failures::expected;
  for (std::uint64_t i = 0; i < failed; ++i)
    add_failure(work, random, duration);
  // As reference_protocol.hpp demands: each node that fails may have handed on what it had from
  // another one that failed.
  work.options.grace = work.options.max_detection
                       + (failed + 3) * (work.options.max_delay + work.options.max_turn_delay);
  auto count = 20 + random.below(150);
  std::uint64_t time = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (random.below(2) == 0)
      time = random.below(duration);
    work.operations.push_back({.time = time,
                               .what = random_act(random),
                               .where = random.below(work.options.nodes),
                               .other = random.below(work.options.nodes),
                               .choice = random.next()});
  }
  std::ranges::stable_sort(work.operations, {}, &operation::time);
  return work;
}

run_outcome run(const workload& work, coverage& seen, kept_trace keep) {
  workload_run running{work};
  try {
    running.run(end_of(work));
    add(seen, running.cluster());
    if (keep == kept_trace::of_failure)
      return {};
    return {.failure = {}, .trace = running.cluster().trace()};
  } catch (const simulation_failure& failure) {
    return {failure.what(), running.cluster().trace()};
  }
}

workload shrink(workload work) {
  coverage ignored;
  auto shorter = true;
  while (shorter) {
    shorter = false;
    for (std::size_t i = work.operations.size(); i-- > 0;) {
      auto without = work;
      without.operations.erase(without.operations.begin() + static_cast<std::ptrdiff_t>(i));
      if (run(without, ignored).failure.empty())
        continue;
      work = std::move(without);
      shorter = true;
    }
  }
  return work;
}

std::string describe_failure(std::uint64_t seed) {
  auto work = shrink(make_workload(seed));
  work.options.trace = tracing::on;
  coverage ignored;
  auto outcome = run(work, ignored);
  std::string result = "seed " + std::to_string(seed) + ": " + outcome.failure + "\nafter "
                       + std::to_string(work.operations.size())
                       + " operations; nodes are place.life:\n";
  for (const auto& line : outcome.trace)
    result += line + "\n";
  return result;
}

} // namespace mobula::test
