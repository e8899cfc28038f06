#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "simulated_cluster.hpp"

/// Where scenarios of Ray's tests are played: conformance_test.cpp says how they are meant.

namespace mobula::test {

inline constexpr place owner = 0;
inline constexpr place borrower = 1;
inline constexpr place second = 2;
inline constexpr place third = 3;

inline constexpr std::uint64_t schedules = 200;

/// A cluster of four, and a pace: without a seed every step ends before the next one begins, with
/// one they overlap at random.
class stage : public simulated_cluster {
public:
  explicit stage(const cluster_options& options)
    : simulated_cluster(options), is_plain_(options.seed == 0) {
    connect_all();
    settle();
  }

  void pause() {
    if (is_plain_)
      settle();
    else
      run_some(random().below(12));
  }

  object_id create(place where, const std::vector<object_id>& nested = {}) {
    return node(where).create(nested);
  }

  /// Sends references and waits until they arrived, not until anything is confirmed.
  void give(place from, place to, const std::vector<object_id>& objects) {
    auto before = node(to).holds(objects.front());
    send(from, to, objects);
    settle_until([&] { return node(to).holds(objects.front()) > before; });
    pause();
  }

  /// Makes a value around a reference, and keeps the value alone.
  object_id wrap(place where, const object_id& inner) {
    auto outer = create(where, {inner});
    drop(where, inner);
    return outer;
  }

  /// Gives a reference and keeps none.
  void hand_over(place from, place to, const object_id& object) {
    give(from, to, {object});
    drop(from, object);
  }

  void drop(place where, const object_id& object) {
    node(where).drop(object);
    pause();
  }

  /// Reads a value and waits until the reference in it is there.
  void read(place where, const object_id& outer, const object_id& inner) {
    auto before = node(where).holds(inner);
    node(where).read(outer);
    settle_until([&] { return node(where).holds(inner) > before; });
    pause();
  }

  /// Waits until the object is freed, whatever timers that takes.
  void expect_freed(const object_id& object) {
    settle_until([&] { return !exists(object); });
  }

  /// The object lives, and goes on living if nothing else happens.
  void expect_kept(const object_id& object) {
    CHECK(exists(object));
    pause();
    CHECK(exists(object));
  }

  /// Drops the only reference left.
  void drop_last(place where, const object_id& object) {
    drop(where, object);
    expect_freed(object);
  }

private:
  bool is_plain_;
};

/// Runs the scenario without delays, then under random schedules.
inline void under_all_schedules(const std::function<void(stage&)>& scenario,
                                failures expect = failures::none) {
  for (std::uint64_t seed = 0; seed <= schedules; ++seed) {
    CAPTURE(seed);
    stage running{{.nodes = 4,
                   .seed = seed,
                   .lease = seed == 0 ? 1'000'000 : 20 + seed * 3,
                   .expect = expect,
                   .trace = tracing::on}};
    try {
      scenario(running);
      running.finish();
    } catch (const simulation_failure& failure) {
      std::string text = failure.what();
      for (const auto& line : running.trace())
        text += "\n" + line;
      FAIL(text);
    }
  }
}

} // namespace mobula::test
