// Threads outside of actors hammer the public interface. Run under the thread sanitizer by
// `./check --thread-sanitize`.

#include <doctest/doctest.h>

#include <random>
#include <thread>

#include <caf/scoped_actor.hpp>

#include <mobula/actors/launch/launch_node.hpp>
#include <mobula/actors/reports/node_report.hpp>
#include <mobula/mobula.hpp>

#include "../sanitizers.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

/// Thread sanitizer runs are slow; they need fewer rounds to see the same pairs of accesses.
constexpr int rounds = test::has_thread_sanitizer ? 300 : 5000;

constexpr int thread_count = 4;

/// A node on real threads; at its end nothing may be left.
struct threaded_node {
  config settings = [] {
    config result;
    result.set("mobula.store-size", std::string{"32MiB"});
    return result;
  }();
  caf::actor_system system{settings};
  mobula::node node{system};

  ~threaded_node() {
    CHECK(node.stats().nothing_left());
  }
};

/// Returns whether the node answered.
bool ask_report_of(const node& of) {
  caf::scoped_actor self{of.system()};
  auto answered = false;
  self->request(of.core().cluster(), 10s, ask_report{.max_objects = 100, .only = {}})
    .receive([&](const node_report&) { answered = true; }, [](const caf::error&) {});
  return answered;
}

/// Makes objects of which one refers to the other, and drops them.
void put_container(node& on) {
  auto inner = on.put(1);
  auto promise = on.make_promise<std::vector<ObjectRef<int>>>();
  auto outer = on.put(std::vector{inner, inner});
  promise.set_value({inner});
}

/// Runs `body(index)` on several threads at once and waits for them.
template <class F>
void in_threads(F body) {
  std::vector<std::thread> threads;
  for (int index = 0; index < thread_count; ++index)
    threads.emplace_back([&body, index] { body(index); });
  for (auto& thread : threads)
    thread.join();
}

} // namespace

TEST_CASE_FIXTURE(threaded_node, "threads put, read and drop small values") {
  in_threads([&](int index) {
    for (int round = 0; round < rounds; ++round) {
      auto ref = node.put(index * rounds + round);
      CHECK(*node.get(ref) == index * rounds + round);
    }
  });
}

TEST_CASE_FIXTURE(threaded_node, "threads put, read and drop values of all sizes") {
  in_threads([&](int index) {
    std::mt19937 random{static_cast<unsigned>(index)};
    std::vector<ObjectRef<std::string>> held;
    for (int round = 0; round < rounds / 20; ++round) {
      held.push_back(node.put(std::string(random() % 250'000, static_cast<char>('a' + index))));
      if (held.size() > 10)
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()));
      const auto text = node.get(held[random() % held.size()]);
      CHECK((text->empty() || text->front() == 'a' + index));
    }
  });
}

TEST_CASE_FIXTURE(threaded_node, "threads copy and drop references to the same objects") {
  std::vector<ObjectRef<int>> shared;
  for (int value = 0; value < 8; ++value)
    shared.push_back(node.put(value));
  in_threads([&](int index) {
    std::mt19937 random{static_cast<unsigned>(index)};
    std::vector<ObjectRef<int>> mine;
    for (int round = 0; round < rounds; ++round) {
      auto at = random() % shared.size();
      mine.push_back(shared[at]);
      CHECK(*node.get(mine.back()) == static_cast<int>(at));
      if (mine.size() > 50)
        mine.clear();
    }
  });
}

TEST_CASE_FIXTURE(threaded_node, "threads read one object that must be decoded") {
  for (int round = 0; round < rounds / 50; ++round) {
    auto ref = node.put(std::vector<std::string>(100, std::to_string(round)));
    std::atomic<const void*> first = nullptr;
    in_threads([&](int) {
      auto value = node.get(ref);
      const void* none = nullptr;
      if (!first.compare_exchange_strong(none, value.get()))
        CHECK(first.load() == value.get());
      CHECK(value->back() == std::to_string(round));
    });
  }
}

TEST_CASE_FIXTURE(threaded_node, "threads wait for what another thread sets") {
  for (int round = 0; round < rounds / 50; ++round) {
    std::vector<promise<int>> promises;
    std::vector<ObjectRef<int>> refs;
    for (int count = 0; count < 20; ++count) {
      promises.push_back(node.make_promise<int>());
      refs.push_back(promises.back().ref());
    }
    in_threads([&](int index) {
      if (index == 0) {
        for (std::size_t at = 0; at < promises.size(); ++at)
          promises[at].set_value(static_cast<int>(at));
      } else if (index == 1) {
        for (std::size_t at = 0; at < refs.size(); ++at)
          CHECK(*node.get(refs[at]) == static_cast<int>(at));
      } else if (index == 2) {
        for (const auto& result : node.get_all(refs))
          CHECK(result.has_value());
      } else {
        CHECK(node.wait(refs, 7).ready.size() == 7);
      }
    });
  }
}

TEST_CASE_FIXTURE(threaded_node, "threads that give up in time leave no waiter behind") {
  auto open = node.make_promise<int>();
  auto ref = open.ref();
  in_threads([&](int index) {
    for (int round = 0; round < rounds / 50; ++round)
      CHECK_FALSE(node.try_get(ref, std::chrono::microseconds{index * 50}));
  });
  CHECK(node.stats().waiting_gets == 0);
}

TEST_CASE_FIXTURE(threaded_node, "one of several threads sets a promise") {
  for (int round = 0; round < rounds / 50; ++round) {
    auto contested = node.make_promise<int>();
    std::atomic<int> winners = 0;
    in_threads([&](int index) {
      try {
        contested.set_value(index);
        ++winners;
      } catch (const object_error& error) {
        CHECK(error.type() == error_type::already_set);
      }
    });
    CHECK(winners == 1);
  }
}

TEST_CASE_FIXTURE(threaded_node, "threads pass references through each other's values") {
  std::mutex mutex;
  ObjectRef<std::vector<ObjectRef<int>>> latest = node.put(std::vector<ObjectRef<int>>{});
  in_threads([&](int index) {
    for (int round = 0; round < rounds / 10; ++round) {
      auto mine = node.put(std::vector{node.put(index), node.put(round)});
      {
        std::unique_lock guard{mutex};
        std::swap(latest, mine);
      }
      auto theirs = node.get(mine);
      if (!theirs->empty())
        CHECK(*node.get(theirs->front()) < thread_count);
    }
  });
  latest = {};
}

TEST_CASE_FIXTURE(threaded_node, "what a thread ends last may put all the same") {
  struct late_putter {
    mobula::node* node = nullptr;

    ~late_putter() {
      for (int round = 0; node != nullptr && round < 10; ++round)
        CHECK(node->get(node->put(std::vector<std::string>(1000, "late")))->size() == 1000);
    }
  };
  std::thread{[this] {
    // Made first, so that it goes after whatever a put keeps for its thread.
    static thread_local late_putter last;
    last.node = &node;
    static_cast<void>(node.put(std::vector<std::string>(1000, "early")));
  }}.join();
}

TEST_CASE_FIXTURE(threaded_node, "figures can be asked for while others work") {
  in_threads([&](int index) {
    for (int round = 0; round < rounds / 20; ++round) {
      if (index == 0) {
        auto stats = node.stats();
        CHECK(stats.resident.bytes + stats.reserved_bytes + stats.lent_bytes
              <= stats.store_capacity_bytes);
      } else {
        static_cast<void>(node.put(std::string(120'000, 'x')));
      }
    }
  });
}

TEST_CASE_FIXTURE(threaded_node, "threads make and drop objects while reports look at them") {
  launch_cluster(node.core());
  in_threads([&](int index) {
    for (int round = 0; round < rounds / 10; ++round)
      if (index == 0)
        CHECK(ask_report_of(node));
      else
        put_container(node);
  });
}

TEST_CASE("a report is looked for while a node ends and its references go") {
  for (int round = 0; round < rounds / 100; ++round) {
    config settings;
    settings.set("mobula.store-size", std::string{"1MiB"});
    caf::actor_system system{settings};
    mobula::node node{system};
    launch_cluster(node.core());
    in_threads([&](int index) {
      try {
        while (index != 1 && (index != 0 || ask_report_of(node)))
          if (index > 1)
            put_container(node);
        node.shutdown();
      } catch (const object_error& error) {
        CHECK(error.type() == error_type::shutting_down);
      }
    });
  }
}
