// Floating-point numbers between nodes of a simulation: exact ones cross, and what CAF would not
// bring to another node is refused, in words.

#include <bit>
#include <limits>

#include <doctest/doctest.h>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

#include "../contains.hpp"

using namespace mobula;
using test::contains;

namespace {

struct reading {
  exact<double> value;
  exact<float> small;
  exact<std::vector<double>> row;
};
MOBULA_MESSAGE(reading, value, small, row)

struct careless {
  double value = 0;
  float small = 0;
};

/// By hand, since `MOBULA_MESSAGE` would refuse the fields.
template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, careless& x) {
  return f(x.value, x.small);
}

using doubles = std::numeric_limits<double>;
using floats = std::numeric_limits<float>;

const std::vector<double> all_kinds{doubles::infinity(), doubles::quiet_NaN(), -0.0,
                                    doubles::denorm_min(), 0.1};

bool same_bits(double one, double other) {
  return std::bit_cast<std::uint64_t>(one) == std::bit_cast<std::uint64_t>(other);
}

std::unique_ptr<config> settings() {
  auto result = std::make_unique<config>();
  add_messages<reading>(*result);
  add_message<careless>(*result, "careless");
  return result;
}

/// An actor of one node that another one sends to.
struct two_nodes {
  testing::simulation sim{1, settings()};
  node& home = sim.add_node();
  node& away = sim.add_node();
  std::vector<reading> readings;
  std::vector<careless> others;
  caf::actor there;

  two_nodes() {
    sim.connect(home, away);
    auto keeper = sim.spawn_on(away, [this](caf::event_based_actor*) {
      return caf::behavior{[this](const reading& x) { readings.push_back(x); },
                           [this](const careless& x) {
                             others.push_back(x);
                           }};
    });
    there = sim.remote(home, away, keeper);
  }

  template <class T>
  void send(T message) {
    caf::anon_send(there, std::move(message));
    sim.run();
  }

  /// Returns why the last message was lost.
  std::string reason() {
    auto lost = sim.lost_messages();
    return lost.empty() ? "" : lost.back().message;
  }
};

} // namespace

TEST_CASE_FIXTURE(two_nodes, "exact fields cross between nodes, whatever they are") {
  for (auto value : all_kinds)
    send(reading{value, floats::infinity(), all_kinds});
  REQUIRE(readings.size() == all_kinds.size());
  for (std::size_t index = 0; index < all_kinds.size(); ++index)
    CHECK(same_bits(readings[index].value, all_kinds[index]));
  CHECK(reason() == "");
}

TEST_CASE_FIXTURE(two_nodes, "the simulation refuses what CAF would not bring to another node") {
  send(careless{doubles::infinity(), 0});
  CHECK(contains(reason(), "holds an infinity in a field of type double"));
  CHECK(contains(reason(), "its I/O thread never comes back"));
  CHECK(contains(reason(), "mobula::exact<double>"));
  send(careless{-0.0, 0});
  CHECK(contains(reason(), "holds -0.0 in a field of type double"));
  send(careless{1, floats::denorm_min()});
  CHECK(contains(reason(), "holds a subnormal number in a field of type float"));
  CHECK(contains(reason(), "mobula::exact<float>"));
  send(careless{1, floats::quiet_NaN()});
  CHECK(contains(reason(), "holds NaN in a field of type float"));
  CHECK(others.empty());
  CHECK(sim.lost_messages().size() == 4);
}

TEST_CASE_FIXTURE(two_nodes, "ordinary numbers pass") {
  send(careless{0.1, -3.5F});
  send(careless{0, doubles::min() > 0 ? 1.0F : 0});
  CHECK(others.size() == 2);
  CHECK(reason() == "");
}

TEST_CASE("what is refused takes no reference along") {
  auto types = settings();
  testing::simulation sim{1, std::move(types)};
  auto& home = sim.add_node();
  auto& away = sim.add_node();
  sim.connect(home, away);
  auto count = 0;
  auto keeper = sim.spawn_on(away, [&](caf::event_based_actor*) {
    return caf::behavior{[&](const ObjectRef<void>&, double) {
      ++count;
    }};
  });
  auto there = sim.remote(home, away, keeper);
  {
    ObjectRef<void> ref = home.put(42);
    caf::anon_send(there, ref, doubles::infinity());
    sim.run();
    CHECK(count == 0);
    caf::anon_send(there, ref, 0.5);
    sim.run();
    CHECK(count == 1);
  }
  keeper = nullptr;
  there = nullptr;
  CHECK(sim.leftovers() == "");
}
