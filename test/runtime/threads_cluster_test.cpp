// Threads of two nodes, each in an actor system of its own, lend, carry, read and free the same
// objects, with limits that end in the middle of everything; and nodes end under their threads. Run
// under the thread sanitizer by `./check --thread-sanitize`.

#include <doctest/doctest.h>

#include <array>
#include <mutex>
#include <random>
#include <thread>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <mobula/cluster.hpp>
#include <mobula/mobula.hpp>

#include "../sanitizers.hpp"
#include "../temporary_directory.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

constexpr int rounds = test::has_thread_sanitizer ? 200 : 1000;

using text_ref = ObjectRef<std::string>;

/// What one node lends to the other.
struct loan {
  std::vector<text_ref> texts;
};
MOBULA_MESSAGE(loan, texts)

/// A text that fits its size.
std::string text_of(std::size_t size) {
  return std::string(size, static_cast<char>('a' + size % 26));
}

/// Sizes that are carried along, asked for, and stored.
std::size_t any_size(std::mt19937& random) {
  constexpr std::array<std::size_t, 4> sizes{20, 3000, 30'000, 130'000};
  return sizes[random() % sizes.size()] + random() % 10;
}

/// A read either finds the text whole, or ends as it may where others free and time is short.
bool sound(const caf::expected<view<std::string>>& result) {
  if (result)
    return **result == text_of((*result)->size());
  auto type = to_error_info(result.error()).type;
  return type == error_type::object_freed || type == error_type::get_timed_out;
}

bool sound(const outcomes<std::string>& results) {
  return std::ranges::all_of(results, [](const auto& each) {
    return each.pending() || (each.has_value() && *each == text_of(each->size()))
           || (each.has_error() && each.error().type == error_type::object_freed);
  });
}

config settings_of_side(const std::string& spill, const char* same_host) {
  config result;
  result.load<caf::io::middleman>();
  add_messages<loan>(result);
  result.set("mobula.store-size", std::string{"8MiB"});
  result.set("mobula.spill-dirs", std::vector<std::string>{spill});
  result.set("mobula.same-host-reading", std::string{same_host});
  return result;
}

/// One node in an actor system of its own, and what it was lent.
class side {
public:
  explicit side(const char* same_host) : settings_(settings_of_side(spill_.path(), same_host)) {
    keeper_ = system_.spawn([this](caf::event_based_actor* self) {
      return caf::behavior{[this, self](loan& x) {
        take(self, x);
      }};
    });
  }

  ~side() {
    caf::anon_send_exit(keeper_, caf::exit_reason::user_shutdown);
    caf::scoped_actor {
      system_
      } -> wait_for(keeper_);
  }

  side(const side&) = delete;
  side& operator=(const side&) = delete;

  [[nodiscard]] const caf::actor& keeper() const {
    return keeper_;
  }

  /// Returns some of what it was lent, and forgets some.
  std::vector<text_ref> some(std::mt19937& random) {
    std::unique_lock guard{mutex_};
    std::vector<text_ref> result;
    for (int count = 0; count < 3 && !lent_.empty(); ++count) {
      auto& chosen = lent_[random() % lent_.size()];
      result.push_back(chosen);
      if (random() % 2 == 0)
        std::swap(chosen, lent_.back());
      if (lent_.size() > 20)
        lent_.pop_back();
    }
    return result;
  }

  void forget_all() {
    std::unique_lock guard{mutex_};
    lent_.clear();
  }

  std::atomic<int> unsound = 0;

private:
  /// Reads without blocking, with limits that mean "now" and "in a moment".
  void take(caf::event_based_actor* self, loan& x) {
    for (const auto& text : x.texts) {
      std::chrono::microseconds limit{text.id().sequence % 2 * 200};
      mobula::get(self, text, limit)
        .then([this](const view<std::string>& read) { unsound += *read != text_of(read->size()); },
              [](caf::error&) {});
    }
    std::unique_lock guard{mutex_};
    lent_.insert(lent_.end(), x.texts.begin(), x.texts.end());
  }

  test::temporary_directory spill_;
  config settings_;
  caf::actor_system system_{settings_};
  std::mutex mutex_;
  std::vector<text_ref> lent_;
  caf::actor keeper_;

public:
  mobula::node node{system_};
  cluster place{node};
};

/// One does work of all kinds with what its node was lent.
void use_loans(side& at, int seed) {
  std::mt19937 random{static_cast<unsigned>(seed)};
  for (int round = 0; round < rounds; ++round) {
    auto texts = at.some(random);
    if (texts.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::chrono::microseconds limit{random() % 300};
    switch (random() % 8) {
      case 0:
        at.node.free(texts.front());
        break;
      case 1:
      case 2:
        at.unsound += !sound(at.node.get_all(texts, limit));
        break;
      case 3:
        static_cast<void>(at.node.wait(texts, 1, limit));
        break;
      default:
        at.unsound += !sound(at.node.try_get(texts.front(), limit));
    }
  }
}

/// Lends values, frees some of them, and reads some, also without a limit.
void lend(side& from, const caf::actor& to, int seed) {
  std::mt19937 random{static_cast<unsigned>(seed)};
  for (int round = 0; round < rounds; ++round) {
    auto late = from.node.make_promise<std::string>();
    loan lent{{from.node.put(text_of(any_size(random))), late.ref()}};
    caf::anon_send(to, lent);
    if (random() % 4 == 0)
      from.node.free(lent.texts[random() % 2]);
    try {
      late.set_value(text_of(any_size(random)));
    } catch (const object_error& error) {
      from.unsound += error.type() != error_type::object_freed;
    }
    from.unsound += !sound(from.node.try_get(lent.texts[random() % 2]));
  }
}

void run_both(const char* same_host) {
  side lender{same_host};
  side borrower{same_host};
  borrower.place.join("127.0.0.1", lender.place.listen("127.0.0.1", 0));
  borrower.node.publish("keeper", borrower.keeper());
  auto keeper = lender.node.lookup_actor("keeper", 30s);
  std::vector<std::thread> threads;
  for (int index = 0; index < 2; ++index) {
    threads.emplace_back([&, index] { lend(lender, keeper, index); });
    threads.emplace_back([&, index] { use_loans(borrower, 10 + index); });
  }
  for (auto& thread : threads)
    thread.join();
  borrower.forget_all();
  CHECK(lender.unsound == 0);
  CHECK(borrower.unsound == 0);
}

} // namespace

TEST_CASE("threads of two nodes lend, carry, read in place and free the same objects") {
  run_both("auto");
}

TEST_CASE("threads of two nodes lend, carry, pull and free the same objects") {
  run_both("off");
}

TEST_CASE("threads drop handles and views while their node and its actor system end") {
  for (int round = 0; round < rounds / 10; ++round) {
    std::vector<std::thread> threads;
    {
      config settings;
      settings.set("mobula.store-size", std::string{"4MiB"});
      caf::actor_system system{settings};
      mobula::node node{system};
      for (int index = 0; index < 3; ++index) {
        auto text = node.put(text_of(130'000));
        threads.emplace_back([held = std::vector{text, node.put(text_of(20))},
                              seen = node.get(text),
                              nested = node.put(std::vector{text})]() mutable {
          while (!held.empty())
            held.pop_back();
        });
      }
    }
    for (auto& thread : threads)
      thread.join();
  }
}

TEST_CASE("readers without a limit get what is spilled as soon as it is set") {
  test::temporary_directory spill;
  config settings;
  settings.set("mobula.store-size", std::string{"2MiB"});
  settings.set("mobula.spill-dirs", std::vector<std::string>{spill.path()});
  caf::actor_system system{settings};
  mobula::node node{system};
  std::vector<promise<std::string>> promises;
  std::vector<text_ref> texts;
  for (int count = 0; count < rounds / 4; ++count) {
    promises.push_back(node.make_promise<std::string>());
    texts.push_back(promises.back().ref());
  }
  std::atomic<int> unsound = 0;
  auto read = [&] {
    for (const auto& text : texts)
      unsound += node.get(text)->size() != 300'000;
  };
  std::thread first{read};
  std::thread second{read};
  for (auto& each : promises)
    each.set_value(text_of(300'000));
  first.join();
  second.join();
  CHECK(unsound == 0);
}
