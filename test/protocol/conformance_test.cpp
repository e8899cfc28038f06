// Ray's tests of its reference counter (reference_counter_test.cc) as far as they are about
// references between processes, in our terms. A task that is submitted with a reference is a user
// message that carries it; its worker is the receiving node; its reply is a message back, or a
// value that the caller reads. Each runs without any delay and under 200 random schedules, and ends
// with every table of every node empty.
//
// | Ray's test                              | here                                             |
// |-----------------------------------------|--------------------------------------------------|
// | TestBasic                               | local counts are those of entries; what crosses  |
// |                                         | nodes: first and second case below               |
// | TestUnreconstructableObjectOutOfScope,  | no meaning: there is no lineage count here       |
// | all of LineageEnabled                   |                                                  |
// | TestReferenceStats, …Limit, Spilled,    | no meaning: call sites, sizes and places are the |
// | LocalityData, PlasmaLocation, Counters  | owner's and the store's business                 |
// | TestOwnerAddress                        | an id names its owner: "goes to the owner"       |
// | MemoryStoreIntegrationTest.TestSimple   | test/runtime                                     |
// | TestNoBorrow … TestReturnBorrowedIdChain| below, under their names                         |
// | TestFree                                | no meaning: freeing drops the value and leaves   |
// |                                         | every reference as it is                         |
// | TestOwnDynamicStreamingTaskReturnRef    | no meaning: no generators                        |
// | TestAddNestedObjectIdsIdempotency       | below; nesting is a handle, reading tells once   |
// | the reply's table of borrowers, waits   | no meaning: each borrower tells the owner itself,|
// | for removal that come early or late     | so nothing is merged and nobody subscribes       |

#include <functional>

#include <doctest/doctest.h>

#include "simulated_cluster.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr place owner = 0;
constexpr place borrower = 1;
constexpr place second = 2;
constexpr place third = 3;

constexpr std::uint64_t schedules = 200;

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

private:
  bool is_plain_;
};

/// Runs the scenario without delays, then under random schedules.
void under_all_schedules(const std::function<void(stage&)>& scenario,
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

} // namespace

TEST_CASE("TestBasic: an object whose references never leave its node needs no message") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.node(owner).copy(object);
    on.drop(owner, object);
    CHECK(on.exists(object));
    on.drop(owner, object);
    CHECK_FALSE(on.exists(object));
    CHECK(on.messages() == 0);
  });
}

TEST_CASE("TestBasic: an object goes when neither a reference nor a message with one is left") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.send(owner, borrower, {object});
    on.node(owner).drop(object);
    CHECK(on.exists(object));
    on.settle_until([&] { return on.node(borrower).holds(object) > 0; });
    on.node(borrower).drop(object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestOwnerAddress: a borrow goes to the owner, whoever sent the reference") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.give(borrower, second, {object});
    on.settle();
    CHECK(on.node(owner).tables().exports().borrowers_of(object.sequence).size() == 2);
    CHECK(on.node(borrower).tables().exports().empty());
  });
}

TEST_CASE("TestNoBorrow: a borrower that is done before it replies leaves nothing") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.drop(borrower, object);
    on.expect_kept(object);
    on.drop(owner, object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestSimpleBorrower: the owner holds on until the borrower has let go") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.drop(owner, object);
    on.expect_kept(object);
    on.drop(borrower, object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestSimpleBorrowerFailure: the owner lets go of what a dead borrower held") {
  under_all_schedules(
    [](stage& on) {
      auto object = on.create(owner);
      on.give(owner, borrower, {object});
      on.drop(owner, object);
      on.expect_kept(object);
      on.crash(borrower);
      on.expect_freed(object);
    },
    failures::expected);
}

TEST_CASE("TestSimpleBorrowerReferenceRemoved: a reference dropped before the owner knew of it") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.send(owner, borrower, {object});
    on.node(owner).drop(object);
    on.settle_until([&] { return on.node(borrower).holds(object) > 0; });
    // In the same turn, so that the owner hears of both at once.
    on.node(borrower).drop(object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestBorrowerTree: a borrower hands on and does not wait") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.node(owner).drop(object);
    on.send(borrower, second, {object});
    on.node(borrower).drop(object);
    on.settle_until([&] { return on.node(second).holds(object) > 0; });
    on.expect_kept(object);
    on.drop(second, object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestNestedObjectNoBorrow: a nested reference is read and dropped") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    auto outer = on.create(owner, {inner});
    on.drop(owner, inner);
    on.give(owner, borrower, {outer});
    on.read(borrower, outer, inner);
    on.drop(borrower, inner);
    on.expect_kept(inner);
    on.drop(borrower, outer);
    on.drop(owner, outer);
    on.expect_freed(outer);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestNestedObject: the innermost reference outlives what it was found in") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    auto middle = on.create(owner, {inner});
    auto outer = on.create(owner, {middle});
    on.drop(owner, inner);
    on.drop(owner, middle);
    on.give(owner, borrower, {outer});
    on.drop(owner, outer);
    on.read(borrower, outer, middle);
    on.drop(borrower, outer);
    on.read(borrower, middle, inner);
    on.drop(borrower, middle);
    on.expect_freed(outer);
    on.expect_freed(middle);
    on.expect_kept(inner);
    on.drop(borrower, inner);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestNestedObjectDifferentOwners: each layer has another owner") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    on.give(owner, borrower, {inner});
    on.drop(owner, inner);
    auto middle = on.create(borrower, {inner});
    on.drop(borrower, inner);
    on.give(borrower, second, {middle});
    on.drop(borrower, middle);
    auto outer = on.create(second, {middle});
    on.drop(second, middle);
    on.give(second, third, {outer});
    on.drop(second, outer);
    on.read(third, outer, middle);
    on.drop(third, outer);
    on.read(third, middle, inner);
    on.drop(third, middle);
    on.expect_freed(middle);
    on.expect_kept(inner);
    on.drop(third, inner);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestBorrowerPingPong: a reference comes home and goes out again") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.drop(owner, object);
    on.give(borrower, owner, {object});
    on.drop(borrower, object);
    on.expect_kept(object);
    CHECK(on.node(owner).holds(object) == 1);
    CHECK_FALSE(on.node(owner).has_failed(object));
    on.give(owner, borrower, {object});
    on.drop(owner, object);
    on.expect_kept(object);
    on.drop(borrower, object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestDuplicateBorrower: the same node borrows through two messages") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.give(owner, borrower, {object, object});
    on.drop(owner, object);
    on.drop(borrower, object);
    on.drop(borrower, object);
    on.expect_kept(object);
    on.drop(borrower, object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestReturnObjectIdNoBorrow: a returned value is dropped without being read") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    auto result = on.create(borrower, {inner});
    on.drop(borrower, inner);
    on.give(borrower, owner, {result});
    on.drop(borrower, result);
    on.expect_kept(inner);
    on.drop(owner, result);
    on.expect_freed(result);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnObjectIdBorrow: holding the returned value keeps the inner object alive") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    auto result = on.create(borrower, {inner});
    on.drop(borrower, inner);
    on.give(borrower, owner, {result});
    on.drop(borrower, result);
    on.read(owner, result, inner);
    on.drop(owner, result);
    on.expect_freed(result);
    on.expect_kept(inner);
    on.drop(owner, inner);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnObjectIdBorrowChain: a reference from a returned value goes to another node") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    auto result = on.create(borrower, {inner});
    on.drop(borrower, inner);
    on.give(borrower, owner, {result});
    on.drop(borrower, result);
    on.read(owner, result, inner);
    on.give(owner, second, {inner});
    on.drop(owner, inner);
    on.drop(owner, result);
    on.expect_freed(result);
    on.expect_kept(inner);
    on.drop(second, inner);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnBorrowedId: a borrower returns a value around what it borrowed") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    on.give(borrower, second, {inner});
    on.drop(borrower, inner);
    auto result = on.create(second, {inner});
    on.drop(second, inner);
    on.give(second, owner, {result});
    on.drop(second, result);
    on.expect_kept(inner);
    on.drop(owner, result);
    on.expect_freed(result);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnBorrowedIdDeserialize: the caller reads such a value") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    on.give(borrower, second, {inner});
    on.drop(borrower, inner);
    auto result = on.create(second, {inner});
    on.drop(second, inner);
    on.give(second, owner, {result});
    on.drop(second, result);
    on.read(owner, result, inner);
    on.drop(owner, result);
    on.expect_freed(result);
    on.expect_kept(inner);
    on.drop(owner, inner);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnIdChain: a returned value holds another returned value") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(second);
    auto nested = on.create(second, {inner});
    on.drop(second, inner);
    on.give(second, borrower, {nested});
    on.drop(second, nested);
    auto result = on.create(borrower, {nested});
    on.drop(borrower, nested);
    on.give(borrower, owner, {result});
    on.drop(borrower, result);
    on.expect_kept(inner);
    on.drop(owner, result);
    on.expect_freed(result);
    on.expect_freed(nested);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnBorrowedIdChain: a borrowed reference is returned through two nodes") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    on.give(owner, borrower, {inner});
    on.drop(owner, inner);
    auto first = on.create(borrower, {inner});
    on.drop(borrower, inner);
    on.give(borrower, second, {first});
    on.drop(borrower, first);
    on.read(second, first, inner);
    on.drop(second, first);
    auto result = on.create(second, {inner});
    on.drop(second, inner);
    on.give(second, owner, {result});
    on.drop(second, result);
    on.read(owner, result, inner);
    on.drop(owner, result);
    on.expect_freed(result);
    CHECK_FALSE(on.node(owner).has_failed(inner));
    on.expect_kept(inner);
    on.drop(owner, inner);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestAddNestedObjectIdsIdempotency: reading a value again tells no owner again") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    auto outer = on.create(owner, {inner, inner});
    on.drop(owner, inner);
    on.give(owner, borrower, {outer});
    on.read(borrower, outer, inner);
    on.read(borrower, outer, inner);
    on.settle();
    CHECK(on.node(owner).tables().exports().borrowers_of(inner.sequence).front().second == 1);
    on.drop(owner, outer);
    on.drop(borrower, outer);
    on.expect_freed(outer);
    on.expect_kept(inner);
  });
}
