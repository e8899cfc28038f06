// Stored values of other nodes of the same host, read in their owner's shared memory. The nodes of
// a simulation have arenas of their own, so they are such nodes to each other.

#include "../../last_words.hpp"
#include "../../temporary_directory.hpp"
#include "post.hpp"

#include <csignal>
#include <functional>
#include <optional>
#include <utility>

#include <mobula/actors/exchange/object_reply.hpp>
#include <mobula/actors/exchange/reply_intake.hpp>
#include <mobula/actors/exchange/value_in_place.hpp>

#include <sys/wait.h>
#include <unistd.h>

using namespace mobula;
using namespace std::literals;
using mobula::test::last_words;

namespace {

const std::string large_text(300'000, 'x');

/// Three nodes of one host, and a large text at home of which `away` has a reference.
struct with_large_text : three_nodes {
  with_large_text() {
    send_away(home.put(large_text));
  }

  text_ref& borrowed() {
    return at_away.letters.at(0);
  }

  void drop_all() {
    at_away.clear();
    sim.run();
  }
};

/// The same where values go in messages.
struct with_messages_only {
  static std::unique_ptr<config> settings() {
    auto result = post_settings();
    result->set("mobula.same-host-reading", std::string{"off"});
    return result;
  }

  testing::simulation sim{1, settings()};
  node& home = sim.add_node();
  node& away = sim.add_node();
  mailbox at_away{sim};

  with_messages_only() {
    sim.connect(home, away);
    caf::anon_send(sim.remote(home, away, at_away.owner), letter{{home.put(large_text)}});
    sim.run();
  }
};

void start_reading(testing::simulation& sim, const text_ref& ref) {
  sim.system().spawn([=](caf::event_based_actor* self) {
    get(self, ref).then([](const view<std::string>& value) { CHECK(value->size() == 110'000); });
  });
}

/// A home with one shard of 256 KiB that spills, so that two large texts do not fit.
struct tight_home {
  testing::simulation sim{1, post_settings()};
  test::temporary_directory directory;
  node& home = sim.add_node(options());
  node& away = sim.add_node();
  mailbox at_away{sim};

  tight_home() {
    sim.connect(home, away);
    send_away('a');
  }

  [[nodiscard]] node_options options() const {
    auto result = sim.default_options();
    result.store_size_bytes = 256 * 1024;
    result.shards = 1;
    result.spill_directories = {directory.path()};
    return result;
  }

  void send_away(char letter) {
    caf::anon_send(sim.remote(home, away, at_away.owner),
                   mobula::letter{{home.put(std::string(110'000, letter))}});
    sim.run();
  }

  [[nodiscard]] std::string read(std::size_t index) const {
    return away.get(at_away.letters.at(index)).copy();
  }
};

/// Takes all places for readers of a node's arena that are free.
std::vector<std::unique_ptr<arena_reader>> take_places(const node& owner) {
  std::vector<std::unique_ptr<arena_reader>> result;
  for (;;) {
    auto opened = arena_reader::open(own_arena(owner.core()).path);
    auto* reader = std::get_if<std::unique_ptr<arena_reader>>(&opened);
    if (reader == nullptr)
      return result;
    result.push_back(std::move(*reader));
  }
}

/// Another process, which is no node, with a place among the readers of a node's arena.
class reading_process {
public:
  explicit reading_process(const node& owner) {
    auto path = own_arena(owner.core()).path;
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    process_ = ::fork();
    if (process_ == 0) {
      auto opened = arena_reader::open(path);
      while (::write(ends[1], "", 1) == 1)
        ::pause();
      ::_exit(1);
    }
    char taken = 0;
    REQUIRE(::read(ends[0], &taken, 1) == 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }

  reading_process(const reading_process&) = delete;
  reading_process& operator=(const reading_process&) = delete;

  ~reading_process() {
    kill();
  }

  void kill() {
    if (process_ <= 0)
      return;
    ::kill(process_, SIGKILL);
    ::waitpid(std::exchange(process_, 0), nullptr, 0);
  }

private:
  pid_t process_ = 0;
};

} // namespace

TEST_CASE_FIXTURE(with_large_text, "a stored value of the same host is read without a message") {
  auto before = peer_messages();
  CHECK(away.get(borrowed()).copy() == large_text);
  CHECK(away.get(borrowed()).copy() == large_text);
  CHECK(peer_messages() == before);
  CHECK(away.stats().arena_used_bytes == 0);
}

TEST_CASE_FIXTURE(three_nodes, "the elements of an array are read where their owner has them") {
  auto builder = home.create<array<float>>(array_shape{300, 400});
  std::ranges::fill(builder.elements(), 1.5F);
  send(home, away, at_away, parcel{{}, builder.seal()});
  sim.run();
  auto ref = at_away.parcels.at(0).anything.as<array<float>>();
  auto first = away.get(ref);
  auto second = away.get(ref);
  CHECK(first->shape() == array_shape{300, 400});
  CHECK((*first)[119'999] == 1.5F);
  CHECK(first->data() == second->data());
}

TEST_CASE_FIXTURE(with_large_text, "a view holds another node's value, and nothing else does") {
  auto seen = std::make_optional(away.get(borrowed()));
  drop_all();
  CHECK(home.stats().resident.objects == 1);
  CHECK(**seen == large_text);
  seen.reset();
  sim.run();
  CHECK(home.stats().resident.objects == 0);
}

TEST_CASE_FIXTURE(with_large_text, "several views in a process are one pin in the owner's arena") {
  auto first = std::make_optional(away.get(borrowed()));
  auto second = std::make_optional(*first);
  drop_all();
  first.reset();
  sim.run();
  CHECK(home.stats().resident.objects == 1);
  CHECK(**second == large_text);
  second.reset();
  sim.run();
  CHECK(home.stats().resident.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a value elsewhere can be read while what was decoded of it dies") {
  send(home, away, at_away, parcel{{}, home.put(last_words{large_text})});
  sim.run();
  auto ref = at_away.parcels.at(0).anything.as<last_words>();
  std::optional seen = away.get(ref);
  auto readable = false;
  last_words::said = [&] {
    readable = static_cast<bool>(ref.entry().try_pin());
  };
  seen.reset();
  CHECK(readable);
  CHECK(away.get(ref)->text == large_text);
}

TEST_CASE_FIXTURE(three_nodes, "a reader that waits is told where the value is") {
  auto open = home.make_promise<std::string>();
  send_away(open.ref());
  std::size_t seen = 0;
  sim.system().spawn([&, ref = at_away.letters.at(0)](caf::event_based_actor* self) {
    get(self, ref).then([&](const view<std::string>& value) { seen = value->size(); });
  });
  sim.run();
  auto before = home.stats().peer_messages;
  open.set_value(large_text);
  sim.run();
  CHECK(seen == large_text.size());
  CHECK(home.stats().peer_messages == before + 1);
}

TEST_CASE("a value that refers to others is read in place, and they are borrowed") {
  testing::simulation sim{1, post_settings()};
  auto options = sim.default_options();
  options.inline_limit_bytes = 0;
  auto& home = sim.add_node(options);
  auto& away = sim.add_node();
  sim.connect(home, away);
  mailbox at_away{sim};
  caf::anon_send(sim.remote(home, away, at_away.owner),
                 parcel{home.put(box{{home.put("inner"), home.put("other")}}), {}});
  sim.run();
  auto inner = away.get(at_away.parcels.at(0).content)->inner;
  at_away.clear();
  sim.run();
  CHECK(away.get(inner.at(0)).copy() == "inner");
  CHECK(away.get(inner.at(1)).copy() == "other");
  inner.clear();
  CHECK(sim.leftovers() == "");
}

TEST_CASE_FIXTURE(tight_home, "an owner may spill what others refer to but nobody reads") {
  CHECK(read(0) == std::string(110'000, 'a'));
  for (char letter : {'b', 'c', 'd'})
    send_away(letter);
  CHECK(home.stats().spilled.objects > 0);
  for (std::size_t index = 0; index < 4; ++index)
    CHECK(read(index) == std::string(110'000, static_cast<char>('a' + index)));
  at_away.clear();
  CHECK(sim.leftovers() == "");
}

TEST_CASE_FIXTURE(tight_home, "an owner does not spill what another node reads") {
  auto seen = std::make_optional(away.get(at_away.letters.at(0)));
  for (char letter : {'b', 'c', 'd'})
    send_away(letter);
  CHECK(**seen == std::string(110'000, 'a'));
  auto before = home.stats().restored.objects;
  CHECK(read(0) == std::string(110'000, 'a'));
  CHECK(home.stats().restored.objects == before);
  seen.reset();
  at_away.clear();
  CHECK(sim.leftovers() == "");
}

TEST_CASE_FIXTURE(with_large_text, "a view outlives the owner of its value") {
  auto seen = away.get(borrowed());
  sim.crash(home);
  sim.run();
  CHECK(*seen == large_text);
}

TEST_CASE_FIXTURE(with_large_text, "what comes after its owner's shutdown overwrites no view") {
  std::vector<promise<std::string>> late;
  for (int count = 0; count < 8; ++count)
    late.push_back(home.make_promise<std::string>());
  auto seen = away.get(borrowed());
  home.shutdown();
  for (auto& each : late)
    each.set_value(std::string(large_text.size(), 'y'));
  CHECK(*seen == large_text);
  for (const auto& each : late)
    CHECK(home.get(each.ref())->front() == 'y');
}

TEST_CASE_FIXTURE(with_large_text, "a value that was read stays readable when its owner is lost") {
  CHECK(away.get(borrowed()).copy() == large_text);
  sim.cut(home, away);
  sim.run();
  CHECK(away.get(borrowed()).copy() == large_text);
}

TEST_CASE_FIXTURE(with_large_text, "a value that was not read fails when its owner is lost") {
  sim.cut(home, away);
  sim.run();
  CHECK(error_behind(away, borrowed()) == error_type::owner_died);
}

TEST_CASE_FIXTURE(with_large_text, "what a crashed reader had pinned goes after its views") {
  auto seen = std::make_optional(away.get(borrowed()));
  at_away.clear();
  sim.crash(away);
  sim.run();
  seen.reset();
  sim.run();
  sim.advance(sim.default_options().grace_period);
  sim.run();
  CHECK(home.stats().resident.objects == 0);
}

TEST_CASE_FIXTURE(with_messages_only, "without reading in place, the bytes travel") {
  auto before = home.stats().peer_messages;
  CHECK(away.get(at_away.letters.at(0)).copy() == large_text);
  CHECK(home.stats().peer_messages == before + 1);
  at_away.clear();
  CHECK(sim.leftovers() == "");
}

TEST_CASE("a value that is found in place while it is pulled leaves no copy behind") {
  // A value that goes to disk after its owner said where it is has to be pulled, and comes back
  // into the owner's arena for that, where another reader finds it.
  for (unsigned seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    tight_home nodes;
    nodes.sim.random().seed(seed);
    for (char letter : {'b', 'c', 'd'})
      nodes.send_away(letter);
    for (int step = 0; step < 40; ++step) {
      start_reading(nodes.sim, nodes.at_away.letters.at(nodes.sim.random()() % 4));
      for (auto count = nodes.sim.random()() % 12; count > 0; --count)
        nodes.sim.run_one_randomly();
    }
    nodes.sim.run_randomly();
    nodes.at_away.clear();
    CHECK(nodes.sim.leftovers() == "");
  }
}

TEST_CASE_FIXTURE(three_nodes, "a node that found no place among the readers gets one later") {
  auto others = take_places(home);
  REQUIRE(others.size() == max_arena_readers);
  send_away(home.put(large_text));
  CHECK(away.get(at_away.letters.at(0)).copy() == large_text);
  CHECK(away.stats().pulled.objects == 1);
  others.clear();
  sim.advance(1s);
  send_away(home.put(large_text));
  CHECK(away.get(at_away.letters.at(1)).copy() == large_text);
  CHECK(away.stats().pulled.objects == 1);
}

TEST_CASE_FIXTURE(three_nodes, "a place among the readers is not looked for with each question") {
  auto others = take_places(home);
  auto read = [&] {
    send_away(home.put(large_text));
    CHECK(away.get(at_away.letters.back()).copy() == large_text);
    return away.stats().pulled.objects;
  };
  CHECK(read() == 1);
  others.clear();
  CHECK(read() == 2);
  sim.advance(999ms);
  CHECK(read() == 3);
  sim.advance(1ms);
  CHECK(read() == 3);
}

TEST_CASE_FIXTURE(three_nodes,
                  "the place of a reader that dies after a node is lost is free again") {
  reading_process reader{home};
  sim.crash(third);
  sim.run();
  reader.kill();
  CHECK(take_places(home).size() == max_arena_readers - 1);
  sim.advance(sim.default_options().grace_period);
  sim.run();
  CHECK(take_places(home).size() == max_arena_readers);
}

TEST_CASE_FIXTURE(with_large_text, "what was found in place meanwhile is not pulled over it") {
  const auto& entry = borrowed().handle();
  auto owned = home.core().gateway().find_own(entry->sequence());
  metadata_writer writer;
  metadata_reader reader;
  auto reply =
    reply_with_description(entry->sequence(), owned->copy()->value, large_text.size(), writer);
  REQUIRE(apply_reply(entry, reply, reader) == reply_result::to_pull);
  REQUIRE(find_in_place(*entry.get()));
  CHECK(copy_to_pull(*entry.get(), reply, reader).get() != entry->copy());
  CHECK(away.get(borrowed())->size() == large_text.size());
}
