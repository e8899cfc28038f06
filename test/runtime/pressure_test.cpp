// A store that is full: who waits, who is refused and when, and what moves to disk, on real threads
// and in simulations.

#include "../temporary_directory.hpp"
#include "one_node.hpp"

#include <algorithm>
#include <filesystem>

using namespace mobula;
using namespace std::literals;

namespace {

/// A directory for spill files.
class scratch_directory : public test::temporary_directory {
public:
  [[nodiscard]] std::size_t spill_files() const {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator{path()})
      count += file.path().extension() == ".spill" ? 1 : 0;
    return count;
  }
};

/// A node with one shard of 4 MiB; spills if `directories` are given.
struct small_store {
  testing::simulation sim;
  scratch_directory directory;
  mobula::node* node = nullptr;

  mobula::node& start(bool spills) {
    auto options = sim.default_options();
    options.store_size_bytes = 4 << 20;
    options.shards = 1;
    if (spills)
      options.spill_directories = {directory.path()};
    node = &sim.add_node(options);
    return *node;
  }
};

std::string block(char letter) {
  return std::string(500'000, letter);
}

} // namespace

TEST_CASE_FIXTURE(small_store, "a store with nothing to move refuses a put after its time-out") {
  auto& node = start(false);
  std::vector<ObjectRef<std::string>> held;
  auto start = sim.now();
  auto fill = [&] {
    for (int count = 0; count < 9; ++count)
      held.push_back(node.put(block('x')));
  };
  CHECK(error_of(fill) == error_type::store_full);
  CHECK(held.size() == 8);
  CHECK(sim.now() - start == node.options().full_timeout);
  CHECK(node.stats().resident.bytes + node.stats().lent_bytes <= 4 << 20);
  held.clear();
  CHECK(sim.leftovers() == "");
}

/// Eight blocks fill the store, and one of them goes after a second.
struct full_store : small_store {
  mobula::node& node = start(false);
  std::vector<ObjectRef<std::string>> held;

  full_store() {
    for (int count = 0; count < 8; ++count)
      held.push_back(node.put(block('x')));
    auto dropper = sim.system().spawn([this](caf::event_based_actor* self) {
      return caf::behavior{[this, self](int) {
        held.pop_back();
        self->quit();
      }};
    });
    caf::delayed_anon_send(dropper, 1s, 0);
  }
};

TEST_CASE_FIXTURE(full_store, "a waiting put goes on when a reference goes") {
  CHECK(node.get(node.put(block('y')))->front() == 'y');
}

TEST_CASE_FIXTURE(full_store, "a stall that is over leaves no timer") {
  auto start = sim.now();
  auto ref = node.put(block('y'));
  CHECK(sim.now() - start == 1s);
  CHECK(sim.timers() == 0);
}

TEST_CASE_FIXTURE(small_store, "an object with references is spilled, never dropped") {
  auto& node = start(true);
  std::vector<ObjectRef<std::string>> held;
  for (char letter = 'a'; letter <= 'z'; ++letter)
    held.push_back(node.put(block(letter)));
  auto stats = node.stats();
  CHECK(stats.spilled.objects > 15);
  CHECK(stats.resident.bytes + stats.lent_bytes + stats.reserved_bytes <= 4 << 20);
  CHECK(directory.spill_files() > 0);
  for (char letter = 'a'; letter <= 'z'; ++letter)
    CHECK(node.get(held[static_cast<std::size_t>(letter - 'a')]).copy() == block(letter));
  CHECK(node.stats().restored.objects > 15);
  sim.check_invariants();
  held.clear();
  CHECK(sim.leftovers() == "");
  CHECK(directory.spill_files() == 0);
}

TEST_CASE_FIXTURE(small_store, "an object with a view is not moved") {
  auto& node = start(true);
  auto pinned = node.get(node.put(block('p')));
  const auto* address = pinned.raw_bytes().data();
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 20; ++count)
    held.push_back(node.put(block('x')));
  CHECK(pinned.raw_bytes().data() == address);
  CHECK(*pinned == block('p'));
  CHECK(node.stats().pinned == object_count{1, 500'000});
}

TEST_CASE_FIXTURE(small_store, "views that fill the store hold a put up until one goes") {
  auto& node = start(true);
  std::vector<view<std::string>> views;
  for (int count = 0; count < 8; ++count)
    views.push_back(node.get(node.put(block('x'))));
  CHECK(error_of([&] { static_cast<void>(node.put(block('y'))); }) == error_type::store_full);
  views.pop_back();
  CHECK(node.get(node.put(block('z')))->front() == 'z');
}

TEST_CASE_FIXTURE(small_store,
                  "a builder in a full store does not wait, and is moved in after its seal") {
  auto& node = start(true);
  std::vector<view<std::string>> views;
  for (int count = 0; count < 8; ++count)
    views.push_back(node.get(node.put(block('x'))));
  auto before = sim.now();
  auto builder = node.create<bytes>(500'000);
  CHECK(sim.now() == before);
  std::ranges::fill(builder.elements(), std::byte{'b'});
  views.pop_back();
  auto value = node.get(builder.seal());
  CHECK(value->size() == 500'000);
  CHECK(value->data()[499'999] == std::byte{'b'});
}

TEST_CASE_FIXTURE(small_store, "an unsealed builder keeps its space and gives it back") {
  auto& node = start(true);
  {
    auto builder = node.create<bytes>(500'000);
    CHECK(node.stats().arena_used_bytes >= 500'000);
  }
  CHECK(sim.leftovers() == "");
}

TEST_CASE_FIXTURE(small_store, "spilled arrays come back with shape and references") {
  auto& node = start(true);
  auto builder = node.create<array<double>>(array_shape{200, 400});
  builder[79'999] = 2.5;
  auto numbers = builder.seal();
  std::vector<ObjectRef<int>> many;
  for (int value = 0; value < 10'000; ++value)
    many.push_back(node.put(value));
  auto container = node.put(many);
  many.clear();
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 20; ++count)
    held.push_back(node.put(block('x')));
  CHECK(node.stats().spilled.objects >= 2);
  auto matrix = node.get(numbers);
  CHECK((*matrix)(199, 399) == 2.5);
  CHECK(*node.get(node.get(container)->at(9'999)) == 9'999);
}

TEST_CASE_FIXTURE(small_store, "readers of one spilled object share one restore") {
  auto& node = start(true);
  auto first = node.put(block('f'));
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 20; ++count)
    held.push_back(node.put(block('x')));
  auto before = node.stats().restored.objects;
  int seen = 0;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    for (int count = 0; count < 5; ++count)
      get(self, first).then([&](const view<std::string>& text) {
        CHECK(*text == block('f'));
        ++seen;
      });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  CHECK(seen == 5);
  CHECK(node.stats().restored.objects == before + 1);
}

TEST_CASE_FIXTURE(small_store, "a damaged record is a lost object, and its neighbours are well") {
  auto& node = start(true);
  std::vector<ObjectRef<std::string>> held;
  for (char letter = 'a'; letter <= 'p'; ++letter)
    held.push_back(node.put(block(letter)));
  sim.run();
  for (const auto& file : std::filesystem::directory_iterator{directory.path()})
    if (file.path().extension() == ".spill")
      std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 1);
  int lost = 0;
  int whole = 0;
  for (std::size_t index = 0; index < held.size(); ++index) {
    auto result = node.try_get(held[index]);
    if (result) {
      CHECK(**result == block(static_cast<char>('a' + index)));
      ++whole;
    } else {
      CHECK(to_error_info(result.error()).type == error_type::object_lost);
      ++lost;
    }
  }
  CHECK(lost >= 1);
  CHECK(whole >= 10);
}

TEST_CASE_FIXTURE(small_store, "a spill limit that is reached refuses further puts") {
  auto options = sim.default_options();
  options.store_size_bytes = 4 << 20;
  options.shards = 1;
  options.spill_directories = {directory.path()};
  options.spill_limit_bytes = 2 << 20;
  auto& node = sim.add_node(options);
  std::vector<ObjectRef<std::string>> held;
  auto fill = [&] {
    for (int count = 0; count < 20; ++count)
      held.push_back(node.put(block('x')));
  };
  CHECK(error_of(fill) == error_type::out_of_disk_error);
  // What is on disk has no space to come back to, until something else goes.
  CHECK(error_of([&] { node.get(held.front()); }) == error_type::out_of_disk_error);
  held.resize(held.size() - 2);
  for (const auto& ref : held)
    CHECK(node.get(ref)->size() == 500'000);
}

TEST_CASE_FIXTURE(small_store, "an object freed while it is on disk frees its file") {
  auto& node = start(true);
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 26; ++count)
    held.push_back(node.put(block('x')));
  CHECK(directory.spill_files() > 0);
  held.clear();
  CHECK(sim.leftovers() == "");
  CHECK(directory.spill_files() == 0);
}

TEST_CASE_FIXTURE(small_store, "shutdown removes a node's spill files") {
  auto& node = start(true);
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 26; ++count)
    held.push_back(node.put(block('x')));
  node.shutdown();
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("an actor's put into a full store is a pending reference") {
  config settings;
  settings.set("mobula.store-size", std::string{"1MiB"});
  settings.set("mobula.shards", std::int64_t{1});
  settings.set("mobula.full-timeout", caf::timespan{50ms});
  caf::actor_system system{settings};
  node node{system};
  auto held = node.put(std::string(900'000, 'x'));
  auto result = node.make_promise<ObjectRef<std::string>>();
  auto ref = result.ref();
  system.spawn(
    [&](caf::event_based_actor*) { result.set_value(node.put(std::string(900'000, 'y'))); });
  auto late = node.get(ref).copy();
  held = {};
  CHECK(node.get(late)->front() == 'y');
}

TEST_CASE_FIXTURE(small_store, "a reader waits on when a value is spilled before it is sealed") {
  auto& node = start(true);
  // Space is lent ahead from here on, so that the next creator sends but one message to the shard.
  static_cast<void>(node.get(node.put(block('x'))));
  auto late = node.make_promise<std::string>();
  std::string got;
  sim.system().spawn([&, ref = late.ref()](caf::event_based_actor* self) {
    mobula::get(self, ref).then([&](const view<std::string>& text) { got = *text; },
                                [&](caf::error& reason) { got = to_error_info(reason).message; });
  });
  sim.run();
  std::vector<ObjectRef<std::string>> others;
  // The creator is held up as soon as the shard has been told.
  after_next_job(*test_scheduler(sim.system()), [&] {
    for (int count = 0; count < 10; ++count)
      others.push_back(node.put(block('y')));
    sim.run();
  });
  late.set_value(block('z'));
  REQUIRE(others.size() == 10);
  sim.run();
  CHECK(got == block('z'));
}

// -- space that creators hold -----------------------------------------------------------------

TEST_CASE_FIXTURE(small_store, "a put that waits for its own thread's builder is refused") {
  auto& node = start(true);
  auto builder = node.create<bytes>(3'000'000);
  auto start = sim.now();
  auto message = message_of([&] { static_cast<void>(node.put(std::string(2'000'000, 'x'))); });
  CHECK(message.find("seal or destroy what is being made") != std::string::npos);
  CHECK(sim.now() - start == node.options().full_timeout);
  static_cast<void>(builder.seal());
  CHECK(node.get(node.put(std::string(2'000'000, 'y')))->front() == 'y');
}

TEST_CASE_FIXTURE(small_store, "a get that waits for its own thread's builder is refused") {
  auto& node = start(true);
  auto spilled = node.put(std::string(2'000'000, 's'));
  static_cast<void>(node.put(std::string(3'900'000, 'x')));
  REQUIRE(node.stats().spilled.objects == 1);
  auto builder = node.create<bytes>(3'000'000);
  CHECK(error_of([&] { node.get(spilled); }) == error_type::store_full);
  static_cast<void>(builder.seal());
  CHECK(node.get(spilled)->front() == 's');
}

TEST_CASE_FIXTURE(small_store,
                  "references that no store could hold are refused before all else goes") {
  auto& node = start(true);
  auto kept = node.put(block('k'));
  std::vector<ObjectRef<int>> many;
  for (int value = 0; value < 110'000; ++value)
    many.push_back(node.put(value));
  auto start = sim.now();
  auto message = message_of([&] { static_cast<void>(node.put(many)); });
  CHECK(message.find("the whole store only") != std::string::npos);
  CHECK(sim.now() == start);
  CHECK(node.stats().spilled.objects == 0);
}
