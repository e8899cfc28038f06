// To which copy each reader is sent, and that nobody waits in a circle.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include <mobula/store/transfer/copy_directory.hpp>

using namespace mobula;

namespace {

incarnation_id node_of(std::uint64_t number) {
  return {.high = 7, .low = number};
}

constexpr incarnation_id owner{.high = 1, .low = 1};
constexpr std::uint64_t object = 5;

/// An owner, and as many nodes as a test wants, each on a host of its own.
struct known_copies {
  copy_directory directory{owner, "home"};
  std::map<incarnation_id, assigned_source> sources;
  std::map<incarnation_id, std::size_t> readers; ///< that were sent to a node

  explicit known_copies(std::uint64_t nodes = 8) {
    for (std::uint64_t number = 1; number <= nodes; ++number)
      directory.node_joined(node_of(number), "host " + std::to_string(number));
  }

  ~known_copies() {
    directory.check_invariants();
  }

  incarnation_id assign(std::uint64_t reader) {
    auto source = directory.assign(object, node_of(reader));
    sources[node_of(reader)] = source;
    ++readers[source.node];
    return source.node;
  }

  void tell(std::uint64_t reader, copy_news news) {
    directory.report(node_of(reader), {object, sources.at(node_of(reader)).ticket, news});
  }

  [[nodiscard]] std::size_t hops(incarnation_id node) const {
    std::size_t result = 0;
    for (; node != owner; node = sources.at(node).node)
      ++result;
    return result;
  }

  [[nodiscard]] std::size_t max_hops() const {
    std::size_t result = 0;
    for (const auto& [node, source] : sources)
      result = std::max(result, hops(node));
    return result;
  }
};

} // namespace

TEST_CASE_FIXTURE(known_copies, "the first reader is sent to the owner") {
  CHECK(assign(1) == owner);
}

TEST_CASE("readers that come at once are sent to each other, as in a binary tree") {
  known_copies all{62};
  for (std::uint64_t reader = 1; reader <= 62; ++reader)
    all.assign(reader);
  for (const auto& [node, count] : all.readers)
    CHECK(count <= 2);
  CHECK(all.max_hops() <= 6);
}

TEST_CASE("readers that come one after the other ask the owner less and less") {
  known_copies all{63};
  for (std::uint64_t reader = 1; reader <= 63; ++reader) {
    all.assign(reader);
    all.tell(reader, copy_news::whole);
  }
  CHECK(all.readers.at(owner) <= 6);
  CHECK(all.max_hops() <= 6);
}

TEST_CASE_FIXTURE(known_copies, "a copy on the reader's host is the first choice") {
  assign(1);
  assign(2);
  directory.node_joined(node_of(20), "host 2");
  CHECK(assign(20) == node_of(2));
}

TEST_CASE_FIXTURE(known_copies, "a crowded copy on the reader's host is no better than others") {
  for (std::uint64_t reader = 1; reader <= 5; ++reader)
    assign(reader);
  REQUIRE(readers.at(node_of(1)) == 2);
  directory.node_joined(node_of(20), "host 1");
  CHECK(assign(20) == node_of(2));
}

TEST_CASE_FIXTURE(known_copies, "a copy that is gone is not named any more") {
  assign(1);
  assign(2);
  tell(1, copy_news::whole);
  tell(1, copy_news::gone);
  directory.node_left(node_of(2));
  CHECK(directory.copies() == 0);
  CHECK(assign(3) == owner);
}

TEST_CASE_FIXTURE(known_copies, "whoever lets go of an object has no copy of it") {
  assign(1);
  directory.copy_gone(object, node_of(1));
  CHECK_FALSE(directory.has_copy(object, node_of(1)));
  CHECK(assign(2) == owner);
}

TEST_CASE_FIXTURE(known_copies, "what is said of a former copy says nothing of the present one") {
  assign(1);
  auto former = sources.at(node_of(1)).ticket;
  assign(1);
  directory.report(node_of(1), {object, former, copy_news::gone});
  CHECK(directory.has_copy(object, node_of(1)));
  directory.report(node_of(1), {object, former, copy_news::whole});
  CHECK(directory.whole_copies(object).empty());
}

TEST_CASE_FIXTURE(known_copies, "what is said twice, or by nobody, changes nothing") {
  assign(1);
  tell(1, copy_news::whole);
  tell(1, copy_news::whole);
  directory.report(node_of(99), {object, copy_ticket{1}, copy_news::gone});
  directory.report(node_of(1), {object + 1, copy_ticket{1}, copy_news::gone});
  directory.node_left(node_of(99));
  CHECK(directory.whole_copies(object) == std::vector{node_of(1)});
}

TEST_CASE_FIXTURE(known_copies, "a node that lost its copy waits for none that may wait for it") {
  assign(1);
  assign(2);
  assign(3);
  tell(1, copy_news::gone);
  CHECK(assign(1) == owner);
  tell(2, copy_news::whole);
  tell(1, copy_news::gone);
  CHECK(assign(1) == node_of(2));
}

TEST_CASE_FIXTURE(known_copies, "a node that lost its copy waits for any once none arrives") {
  assign(1);
  assign(2);
  tell(1, copy_news::gone);
  tell(2, copy_news::whole);
  directory.node_joined(node_of(20), "host 1");
  assign(20);
  CHECK(assign(1) == node_of(20));
}

TEST_CASE_FIXTURE(known_copies, "the last copy that arrives may also go without getting whole") {
  for (std::uint64_t reader : {1, 2, 3})
    assign(reader);
  tell(1, copy_news::gone);
  tell(2, copy_news::whole);
  tell(3, copy_news::gone);
  directory.node_joined(node_of(20), "host 1");
  assign(20);
  CHECK(assign(1) == node_of(20));
}

TEST_CASE_FIXTURE(known_copies, "a node that joins again has no copies") {
  assign(1);
  directory.node_joined(node_of(1), "host 1");
  CHECK(directory.copies() == 0);
  CHECK_FALSE(directory.has_copy(object, node_of(1)));
}

TEST_CASE("whatever is said in whatever order, nobody waits in a circle") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    known_copies all{9};
    std::map<incarnation_id, bool> arriving;
    auto waits_for_itself = [&](const incarnation_id& start) {
      auto node = start;
      for (int hop = 0; hop < 10; ++hop) {
        if (node == owner || !arriving[node])
          return false;
        node = all.sources.at(node).node;
      }
      return true;
    };
    for (int step = 0; step < 200; ++step) {
      auto reader = random() % 9 + 1;
      auto node = node_of(reader);
      switch (random() % 4) {
        case 0:
          all.assign(reader);
          arriving[node] = true;
          break;
        case 1:
          if (arriving[node])
            all.tell(reader, copy_news::whole);
          arriving[node] = false;
          break;
        case 2:
          if (all.sources.contains(node))
            all.tell(reader, copy_news::gone);
          arriving[node] = false;
          break;
        default:
          all.directory.node_left(node);
          all.directory.node_joined(node, "host");
          arriving[node] = false;
      }
      all.directory.check_invariants();
      REQUIRE_FALSE(waits_for_itself(node));
    }
  }
}
