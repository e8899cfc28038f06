// Values of some KB between nodes whose process heap has a limit: they move into their owner's
// store, and borrowers give them up and ask again.

#include "post.hpp"

#include <optional>

using namespace mobula;
using namespace std::literals;

namespace {

constexpr std::uint64_t heap_limit = 256 * 1024;

std::unique_ptr<config> small_heaps() {
  auto result = post_settings();
  result->set("mobula.heap-limit", std::string{"256KiB"});
  return result;
}

/// Three nodes with small heaps, and thirty texts of 16 KB at home, of which `away` has references.
struct many_texts : three_nodes {
  std::vector<text_ref> texts;

  many_texts() : three_nodes(small_heaps()) {
    for (std::size_t index = 0; index < 30; ++index)
      texts.push_back(home.put(text(index)));
    send(home, away, at_away, letter{texts});
    sim.run();
  }

  static std::string text(std::size_t index) {
    return std::string(16'000, static_cast<char>('a' + index));
  }

  [[nodiscard]] text_ref& borrowed(std::size_t index) {
    return at_away.letters.at(index);
  }

  bool intact_away() {
    for (std::size_t index = 0; index < texts.size(); ++index)
      if (away.get(borrowed(index)).copy() != text(index))
        return false;
    return true;
  }
};

/// One text at home, which `away` has read: it came in a message.
struct one_text : three_nodes {
  std::vector<text_ref> others;

  one_text() : three_nodes(small_heaps()) {
    send_away(home.put(std::string(16'000, 'x')));
    CHECK(away.get(at_away.letters.at(0))->front() == 'x');
  }

  text_ref& borrowed() {
    return at_away.letters.at(0);
  }

  /// Has `away` need its heap for other values.
  void press_away() {
    for (int count = 0; count < 80; ++count)
      others.push_back(away.put(std::string(2'800, 'y')));
    sim.run();
  }
};

} // namespace

TEST_CASE_FIXTURE(many_texts,
                  "values that moved into their owner's store are read on other nodes") {
  CHECK(home.stats().left_heap.objects > 0);
  CHECK(intact_away());
  CHECK(home.stats().heap_bytes <= heap_limit);
}

TEST_CASE_FIXTURE(many_texts, "a borrower stays within its heap's limit, and reads all again") {
  for (int round = 0; round < 3; ++round) {
    CHECK(intact_away());
    sim.run();
    CHECK(away.stats().heap_bytes <= heap_limit);
  }
}

TEST_CASE_FIXTURE(one_text, "a borrower gives a value up for others, and asks for it again") {
  CHECK(away.stats().heap_bytes >= 16'000);
  press_away();
  CHECK(away.stats().left_heap == object_count{1, 16'000});
  CHECK(away.get(borrowed())->front() == 'x');
  CHECK(away.get(borrowed())->size() == 16'000);
}

TEST_CASE_FIXTURE(one_text, "a value that a borrower views is not given up") {
  auto pinned = away.get(borrowed());
  const auto* bytes = pinned.raw_bytes().data();
  press_away();
  CHECK(away.stats().left_heap.objects == 0);
  auto again = away.get(borrowed());
  CHECK(again.raw_bytes().data() == bytes);
}

TEST_CASE_FIXTURE(one_text, "a value that its last view leaves is given up then") {
  std::optional pinned = away.get(borrowed());
  press_away();
  pinned.reset();
  sim.run();
  CHECK(away.stats().left_heap.objects == 1);
}

TEST_CASE_FIXTURE(one_text, "a put goes on when the last view of what was decoded in place goes") {
  send_away(home.put(std::string(200'000, 'z')));
  std::optional pinned = away.get(at_away.letters.at(1));
  while (away.stats().heap_bytes + 4'000 <= heap_limit)
    others.push_back(away.put(std::string(4'000, 'y')));
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      pinned.reset();
      self->quit();
    }};
  });
  auto start = sim.now();
  caf::delayed_anon_send(dropper, 1s, 0);
  others.push_back(away.put(std::string(4'000, 'y')));
  CHECK(sim.now() - start == 1s);
}

TEST_CASE_FIXTURE(one_text,
                  "a value that was given up is lost with its owner, one that was not stays") {
  send(home, third, at_third, letter{{home.put(std::string(16'000, 'z'))}});
  sim.run();
  CHECK(third.get(at_third.letters.at(0))->front() == 'z');
  press_away();
  sim.crash(home);
  sim.run();
  sim.advance(1h);
  CHECK(error_behind(away, borrowed()) == error_type::owner_died);
  CHECK(third.get(at_third.letters.at(0))->front() == 'z');
}

TEST_CASE_FIXTURE(one_text, "a value that was given up and then freed is an error") {
  press_away();
  away.free(borrowed());
  sim.run();
  CHECK(error_behind(away, borrowed()) == error_type::object_freed);
}

TEST_CASE_FIXTURE(
  one_text, "a put that waits for the heap goes on when a view of another node's value ends") {
  send_away(home.put(std::string(300'000, 'z')));
  std::optional pinned = away.get(at_away.letters.at(1));
  REQUIRE(away.stats().heap_bytes >= 300'000);
  REQUIRE(away.stats().resident.objects == 0);
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      pinned.reset();
      self->quit();
    }};
  });
  caf::delayed_anon_send(dropper, 500ms, 0);
  auto start = sim.now();
  press_away();
  CHECK(sim.now() - start == 500ms);
}

TEST_CASE_FIXTURE(one_text, "a value of the heap travels on with its reference") {
  send(away, third, at_third, letter{{borrowed()}});
  sim.run();
  press_away();
  CHECK(third.get(at_third.letters.at(0))->front() == 'x');
}
