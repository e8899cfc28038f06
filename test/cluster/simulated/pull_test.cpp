// Stored values of other nodes whose arena cannot be read: their bytes are pulled. Without
// failures, but for those that a test brings about; random ones are in schedule_test.cpp.

#include "../../temporary_directory.hpp"
#include "post.hpp"

#include <filesystem>
#include <fstream>

#include <mobula/actors/messages/transfer_messages.hpp>

using namespace mobula;
using namespace std::literals;

namespace {

/// Two nodes that share no memory. At the end of a test, nothing may be left on them.
struct two_hosts {
  std::size_t inline_limit_bytes;
  testing::simulation sim{1, post_settings()};
  test::temporary_directory directory;
  node& home = sim.add_node(home_options());
  node& away = sim.add_node(away_options());
  mailbox at_away{sim};

  explicit two_hosts(std::size_t inline_limit_bytes = 102'400)
    : inline_limit_bytes(inline_limit_bytes) {
    sim.connect(home, away);
    sim.run();
  }

  ~two_hosts() {
    at_away.clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }

  [[nodiscard]] node_options far_options() const {
    auto result = sim.default_options();
    result.inline_limit_bytes = inline_limit_bytes;
    result.same_host_reading = reading_in_place::off;
    result.transfer_chunk_bytes = 100'000;
    return result;
  }

  /// Has space for three texts, the rest goes to disk.
  [[nodiscard]] node_options home_options() const {
    auto result = far_options();
    result.store_size_bytes = 1U << 20U;
    result.shards = 1;
    result.spill_directories = {directory.path()};
    return result;
  }

  /// Has space for three texts.
  [[nodiscard]] node_options away_options() const {
    auto result = far_options();
    result.store_size_bytes = 1U << 20U;
    result.shards = 1;
    return result;
  }

  static std::string text(char letter, std::size_t size = 300'000) {
    return std::string(size, letter);
  }

  text_ref& send(char letter, std::size_t size = 300'000) {
    caf::anon_send(sim.remote(home, away, at_away.owner),
                   mobula::letter{{home.put(text(letter, size))}});
    sim.run();
    return at_away.letters.back();
  }

  [[nodiscard]] std::string read(std::size_t index) const {
    return away.get(at_away.letters.at(index)).copy();
  }

  /// Starts an actor that reads, and counts the texts that are as they should be.
  void start_reading(const text_ref& ref, std::string expected, std::size_t& intact) {
    sim.system().spawn([=, &intact](caf::event_based_actor* self) {
      get(self, ref).then(
        [=, &intact](const view<std::string>& value) { intact += *value == expected ? 1 : 0; });
    });
  }

  /// Changes one byte in the middle of each record's text.
  void damage_spill_files() const {
    for (const auto& file : std::filesystem::directory_iterator{directory.path()}) {
      if (file.path().extension() != ".spill")
        continue;
      std::fstream bytes{file.path(), std::ios::in | std::ios::out | std::ios::binary};
      for (std::uint64_t offset = 150'000; offset < file.file_size(); offset += 300'000) {
        bytes.seekp(static_cast<std::streamoff>(offset));
        bytes.put('!');
      }
    }
  }

  /// Runs until a pull at `away` has begun. Returns whether one has.
  bool run_until_pulling() {
    for (int step = 0; step < 1'000; ++step) {
      if (away.core().heap().figures().used_bytes > 0)
        return true;
      if (!sim.run_one())
        return false;
    }
    return false;
  }
};

/// The heap has space for all.
struct large_in_heap : two_hosts {
  large_in_heap() : two_hosts(20'000'000) {
    // nop
  }
};

} // namespace

TEST_CASE_FIXTURE(two_hosts, "a stored value of another host is pulled") {
  send('a');
  CHECK(read(0) == text('a'));
  CHECK(away.stats().pulled == object_count{1, 300'000});
  CHECK(home.stats().pushed_bytes == 300'000);
  CHECK(away.stats().resident.objects == 1);
}

TEST_CASE_FIXTURE(two_hosts, "values that were pulled leave no timer") {
  for (std::size_t index = 0; index < 3; ++index) {
    send('a');
    CHECK(read(index) == text('a'));
  }
  sim.run();
  CHECK(away.stats().timers == away.stats().peer_timers);
}

TEST_CASE_FIXTURE(two_hosts, "what was pulled is read again without a message") {
  send('a');
  auto first = away.get(at_away.letters.at(0));
  auto before = away.stats().peer_messages;
  auto second = away.get(at_away.letters.at(0));
  CHECK(first->data() == second->data());
  CHECK(away.stats().peer_messages == before);
}

TEST_CASE_FIXTURE(two_hosts, "a value that is here when it is to be pulled anew stays as it is") {
  send('a');
  CHECK(read(0) == text('a'));
  {
    auto& entry = at_away.letters.at(0).entry();
    caf::anon_send(away.core().transfers(), pull_value{.entry = share_use(entry),
                                                       .copy = copy_pointer{entry.copy()},
                                                       .source = {home.core().incarnation(), {}}});
  }
  auto let_go = false;
  SUBCASE("and is kept") {
  }
  SUBCASE("and goes with its reference") {
    let_go = true;
    at_away.clear();
  }
  sim.run();
  auto stats = away.stats();
  CHECK(stats.pulls == 0);
  CHECK(stats.pulled == object_count{1, 300'000});
  CHECK(stats.resident.objects == (let_go ? 0 : 1));
  if (!let_go)
    CHECK(read(0) == text('a'));
}

TEST_CASE_FIXTURE(two_hosts, "readers at the same time share one pull") {
  auto ref = send('a');
  std::size_t intact = 0;
  for (int reader = 0; reader < 5; ++reader)
    start_reading(ref, text('a'), intact);
  ref = {};
  sim.run();
  CHECK(intact == 5);
  CHECK(home.stats().pushed_bytes == 300'000);
}

TEST_CASE_FIXTURE(two_hosts, "what was pulled goes when space is needed, and comes again") {
  for (char letter : {'a', 'b', 'c', 'd', 'e', 'f'})
    send(letter);
  for (int round = 0; round < 2; ++round)
    for (std::size_t index = 0; index < 6; ++index)
      CHECK(read(index) == text(static_cast<char>('a' + index)));
  CHECK(away.stats().evictions.objects >= 6);
  CHECK(away.stats().pulled.objects > 6);
}

TEST_CASE_FIXTURE(two_hosts, "what is on disk at its owner is pulled from its file") {
  for (char letter : {'a', 'b', 'c', 'd', 'e', 'f'})
    send(letter);
  CHECK(home.stats().spilled.objects > 0);
  CHECK(read(0) == text('a'));
  CHECK(home.stats().restored.objects == 0);
  CHECK(home.stats().pushed_bytes == 300'000);
}

TEST_CASE_FIXTURE(two_hosts, "what is damaged on disk is an error at its reader") {
  for (char letter : {'a', 'b', 'c', 'd', 'e', 'f'})
    send(letter);
  damage_spill_files();
  auto error = error_type::worker_died;
  sim.system().spawn([&, ref = at_away.letters.at(0)](caf::event_based_actor* self) {
    get(self, ref).then([](const view<std::string>&) {},
                        [&error](caf::error& reason) { error = to_error_info(reason).type; });
  });
  sim.run();
  CHECK(error == error_type::object_lost);
}

TEST_CASE_FIXTURE(two_hosts, "a value that is viewed is not evicted") {
  for (char letter : {'a', 'b', 'c', 'd', 'e', 'f'})
    send(letter);
  auto seen = std::make_optional(away.get(at_away.letters.at(0)));
  for (std::size_t index = 1; index < 6; ++index)
    CHECK(read(index) == text(static_cast<char>('a' + index)));
  CHECK(**seen == text('a'));
  auto before = away.stats().pulled.objects;
  CHECK(read(0) == text('a'));
  CHECK(away.stats().pulled.objects == before);
  seen.reset();
}

TEST_CASE_FIXTURE(two_hosts, "a value for which there is no space is an error that says so") {
  auto large = sim.default_options();
  large.same_host_reading = reading_in_place::off;
  auto& rich = sim.add_node(large);
  sim.connect(rich, away);
  caf::anon_send(sim.remote(rich, away, at_away.owner), letter{{rich.put(text('x', 2'000'000))}});
  sim.run();
  auto result = away.try_get(at_away.letters.at(0));
  REQUIRE(!result);
  auto reason = to_error_info(result.error());
  CHECK(reason.type == error_type::store_full);
  CHECK(reason.message.find("2000") != std::string::npos);
  CHECK(reason.message.find("1048576") != std::string::npos);
}

TEST_CASE_FIXTURE(two_hosts, "what finds no space beside the views of the same read is an error") {
  for (char letter : {'a', 'b', 'c', 'd', 'e', 'f', 'g'})
    send(letter);
  std::vector<std::string> results;
  sim.system().spawn([&, refs = at_away.letters](caf::event_based_actor* self) {
    get_all(self, refs).then([&](const outcomes<std::string>& all) {
      for (const auto& one : all)
        results.push_back(one.has_error() ? std::string{to_string(one.error().type)} : "read");
    });
  });
  sim.run();
  CHECK(results.empty());
  sim.advance(1min);
  sim.run();
  CHECK(std::ranges::count(results, "read") == 3);
  CHECK(std::ranges::count(results, "store_full") == 4);
}

TEST_CASE_FIXTURE(two_hosts, "a pull goes on where its connection broke") {
  sim.break_transfers(2);
  for (char letter : {'a', 'b', 'c'})
    send(letter);
  for (std::size_t index = 0; index < 3; ++index)
    CHECK(read(index) == text(static_cast<char>('a' + index)));
  CHECK(away.stats().lost_asks > 0);
}

TEST_CASE_FIXTURE(two_hosts, "a pull that nobody wants any more ends") {
  std::size_t intact = 0;
  {
    auto ref = send('a');
    auto reader = sim.system().spawn([&, ref](caf::event_based_actor* self) {
      get(self, ref).then([&](const view<std::string>&) { ++intact; });
    });
    REQUIRE(run_until_pulling());
    caf::anon_send_exit(reader, caf::exit_reason::kill);
  }
  at_away.clear();
  sim.run();
  CHECK(intact == 0);
  CHECK(away.stats().pulled.objects == 0);
  CHECK(away.stats().arena_used_bytes == 0);
}

TEST_CASE_FIXTURE(two_hosts, "a reader hears at once that the owner is lost in mid-transfer") {
  auto ref = send('a');
  std::optional<error_type> seen;
  sim.system().spawn([&, ref](caf::event_based_actor* self) {
    get(self, ref).then([](const view<std::string>&) { FAIL("there is no value"); },
                        [&](caf::error& error) { seen = to_error_info(error).type; });
  });
  ref = {};
  REQUIRE(run_until_pulling());
  sim.cut(home, away);
  sim.run();
  CHECK(seen == error_type::owner_died);
  at_away.clear();
  sim.run();
  CHECK(away.stats().arena_used_bytes == 0);
}

TEST_CASE_FIXTURE(two_hosts, "a view of what was pulled outlives the owner, later reads do not") {
  send('a');
  auto seen = std::make_optional(away.get(at_away.letters.at(0)));
  sim.cut(home, away);
  sim.run();
  CHECK(**seen == text('a'));
  CHECK(error_behind(away, at_away.letters.at(0)) == error_type::owner_died);
  seen.reset();
}

TEST_CASE_FIXTURE(two_hosts, "a wait for a value fetches it") {
  auto ref = send('a');
  CHECK(away.wait(std::vector{ref}, 1).ready.size() == 1);
  sim.run();
  CHECK(away.stats().pulled.objects == 1);
}

TEST_CASE_FIXTURE(two_hosts, "a data port out of reach is found out once, for all objects") {
  sim.hide_port(home);
  for (std::size_t index = 0; index < 10; ++index) {
    send('a');
    CHECK(read(index) == text('a'));
  }
  auto stats = away.stats();
  CHECK(stats.unreachable_ports == 1);
  CHECK(stats.lost_asks <= 4); // The chunks of the first object.
  CHECK(stats.pulled.objects == 0);
}

TEST_CASE_FIXTURE(two_hosts, "a data port out of reach is tried again in a new session") {
  sim.hide_port(home);
  send('a');
  CHECK(read(0) == text('a'));
  sim.cut(home, away);
  sim.run();
  CHECK(away.stats().unreachable_ports == 0);
  sim.heal(home, away);
  sim.run();
  send('b');
  CHECK(read(1) == text('b'));
  CHECK(away.stats().unreachable_ports == 1);
}

TEST_CASE_FIXTURE(large_in_heap, "a large value in the heap is pulled, too") {
  send('a');
  REQUIRE(home.stats().inline_values.objects == 1);
  CHECK(read(0) == text('a'));
  CHECK(home.stats().pushed_bytes == 300'000);
  CHECK(away.stats().resident.objects == 1);
}

TEST_CASE_FIXTURE(large_in_heap, "a reader that waits for a large value in the heap pulls it") {
  auto promise = home.make_promise<std::string>();
  caf::anon_send(sim.remote(home, away, at_away.owner), letter{{promise.ref()}});
  sim.run();
  std::size_t intact = 0;
  start_reading(at_away.letters.at(0), text('a'), intact);
  sim.run();
  promise.set_value(text('a'));
  sim.run();
  CHECK(intact == 1);
  CHECK(home.stats().pushed_bytes == 300'000);
}

TEST_CASE_FIXTURE(large_in_heap, "a value in the heap that is not large comes in a message") {
  send('a', 100'000);
  CHECK(read(0) == text('a', 100'000));
  CHECK(home.stats().pushed_bytes == 0);
}

TEST_CASE_FIXTURE(two_hosts, "an answer with many values is cut by bytes") {
  for (int count = 0; count < 50; ++count)
    send('a', 100'000);
  auto before = home.stats().peer_messages;
  for (const auto& outcome : away.get_all(at_away.letters))
    CHECK(outcome.has_value());
  // Four of 1 MiB at once, and what is left when the reader has asked for it again.
  CHECK(home.stats().peer_messages - before == 6);
}

TEST_CASE_FIXTURE(two_hosts, "news of many freed values are cut by bytes") {
  std::vector<text_ref> refs(10'000, home.put("a"));
  for (auto& ref : refs)
    ref = home.put("a");
  caf::anon_send(sim.remote(home, away, at_away.owner), letter{refs});
  sim.run();
  auto before = home.stats().peer_messages;
  home.free(refs);
  sim.run();
  auto messages = home.stats().peer_messages - before;
  CHECK(messages > 1);
  CHECK(messages < 10);
}
