// A node's shared memory as its node, its directory and other processes of the host see it. A
// reader in this test maps the arena a second time, as any other process would.

#include "../small_disk.hpp"
#include "one_node.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <sys/wait.h>

#include <mobula/store/arena/arena_reader.hpp>

#include "mobula/actors/caf/caf_options.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

/// A node with one shard of 4 MiB in an arena directory of its own, and somebody who reads its
/// arena.
struct arena_node {
  testing::simulation sim;
  test::temporary_directory directory{"/dev/shm"};
  test::temporary_directory spills;
  mobula::node* node = nullptr;
  std::unique_ptr<arena_reader> reader;

  mobula::node& start() {
    return start(directory.path());
  }

  mobula::node& start(const std::filesystem::path& where) {
    return start(options_in(where));
  }

  mobula::node& start(const node_options& options) {
    node = &sim.add_node(options);
    return *node;
  }

  [[nodiscard]] node_options options_in(const std::filesystem::path& where) const {
    auto options = sim.default_options();
    options.store_size_bytes = 4 << 20;
    options.shards = 1;
    options.arena_directory = where;
    options.spill_directories = {spills.path()};
    return options;
  }

  void open_reader() {
    auto opened = arena_reader::open(node->core().arena().path());
    REQUIRE(std::holds_alternative<std::unique_ptr<arena_reader>>(opened));
    reader = std::get<std::unique_ptr<arena_reader>>(std::move(opened));
  }

  [[nodiscard]] std::optional<pinned_object> find(const object_id& id) {
    return reader->find(id).object;
  }

  /// Lets go as a reader in another process would: its report comes as a message.
  void unpin(const object_id& id, const pinned_object& object) {
    if (reader->unpin(object.slot) == unpin_result::tell_shard)
      caf::anon_send(node->core().shards()[0], copy_unpinned{id.sequence});
    sim.run();
  }

  [[nodiscard]] std::size_t arenas() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{directory.path()})
      count += entry.path().extension() == ".arena" ? 1 : 0;
    return count;
  }
};

std::string block(char letter) {
  return std::string(500'000, letter);
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

// -- the file ---------------------------------------------------------------------------------

TEST_CASE_FIXTURE(arena_node, "a node's arena is a private file that names it, and goes with it") {
  auto& node = start();
  const auto& path = node.core().arena().path();
  CHECK(path.filename().string().find(to_string(node.incarnation())) != std::string::npos);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  node.shutdown();
  CHECK(arenas() == 0);
}

TEST_CASE_FIXTURE(arena_node, "a view outlives its node and the arena's name") {
  auto value = start().get(node->put(block('v')));
  sim.remove_node(*node);
  CHECK(arenas() == 0);
  CHECK(*value == block('v'));
}

TEST_CASE_FIXTURE(arena_node, "a start sweeps the arenas of the dead, and of nobody else") {
  start();
  auto dead = directory.path() / ("mobula-x-" + std::string(32, '0') + ".arena");
  std::ofstream{dead} << "left behind";
  start();
  CHECK_FALSE(std::filesystem::exists(dead));
  CHECK(arenas() == 2);
}

TEST_CASE_FIXTURE(arena_node, "simulations with one seed run side by side") {
  auto& one = start();
  testing::simulation twin;
  auto& other = twin.add_node(options_in(directory.path()));
  CHECK(one.core().incarnation() == other.core().incarnation());
  CHECK(arenas() == 2);
}

TEST_CASE_FIXTURE(arena_node, "a missing arena directory is refused, with option and remedy") {
  auto message = message_of([&] { start("/no/such/directory"); });
  CHECK(message.find("mobula.arena-dir") != std::string::npos);
  CHECK(message.find("/no/such/directory") != std::string::npos);
}

TEST_CASE_FIXTURE(arena_node, "a tmpfs too small for the store is refused at the start") {
  test::small_disk disk{"size=2m"};
  if (!disk.mounted())
    return;
  auto message = message_of([&] { start(disk.path()); });
  CHECK(message.find("4194304") != std::string::npos);
  CHECK(message.find("mobula.store-size") != std::string::npos);
}

TEST_CASE("a store without a size takes what its directory can give") {
  test::small_disk disk{"size=8m"};
  if (!disk.mounted())
    return;
  node_options options;
  options.arena_directory = disk.path();
  options.shards = 1;
  auto size = resolve_store_size(options);
  CHECK(size > 7 << 20);
  CHECK(size < 8 << 20);
}

TEST_CASE_FIXTURE(arena_node, "memory that others took refuses puts, says so, and hurts nobody") {
  test::small_disk disk{"size=6m"};
  if (!disk.mounted())
    return;
  auto options = options_in(disk.path());
  options.spill_directories.clear();
  auto first = start(options).put(block('a'));
  disk.fill();
  std::vector<ObjectRef<std::string>> held;
  auto message = message_of([&] {
    for (int count = 0; count < 8; ++count)
      held.push_back(node->put(block('b')));
  });
  CHECK(message.find("gives the arena no more memory") != std::string::npos);
  CHECK(node->get(first).copy() == block('a'));
  disk.drop_ballast();
  CHECK(node->get(node->put(block('c'))).copy() == block('c'));
}

// -- readers in other processes ---------------------------------------------------------------

TEST_CASE_FIXTURE(arena_node, "a sealed object is found by its id, with bytes and metadata") {
  auto ref = start().put(block('s'));
  sim.run();
  open_reader();
  auto found = find(ref.id());
  REQUIRE(found);
  CHECK(text_of(found->data) == block('s'));
  auto metadata = decode_metadata(found->metadata);
  REQUIRE(metadata);
  CHECK(metadata->type_name == "string");
  CHECK(metadata->size_bytes == 500'000);
  unpin(ref.id(), *found);
}

TEST_CASE_FIXTURE(arena_node, "an object with a reader elsewhere is neither moved nor freed") {
  auto ref = start().put(block('p'));
  auto id = ref.id();
  sim.run();
  open_reader();
  auto found = find(id);
  REQUIRE(found);
  ref = {};
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 20; ++count)
    held.push_back(node->put(block('x')));
  CHECK(text_of(found->data) == block('p'));
  CHECK_FALSE(find(id));
  unpin(id, *found);
  held.clear();
  CHECK(sim.leftovers() == "");
}

TEST_CASE_FIXTURE(arena_node, "a spilled object is not found, and again when it is restored") {
  auto ref = start().put(block('r'));
  open_reader();
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 20; ++count)
    held.push_back(node->put(block('x')));
  sim.run();
  CHECK_FALSE(find(ref.id()));
  CHECK(node->get(ref)->front() == 'r');
  auto found = find(ref.id());
  REQUIRE(found);
  CHECK(text_of(found->data) == block('r'));
  unpin(ref.id(), *found);
}

TEST_CASE_FIXTURE(arena_node, "a put that waits for readers elsewhere gets what dead ones had") {
  auto options = options_in(directory.path());
  options.spill_threshold_percent = 100;
  start(options);
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 8; ++count)
    held.push_back(node->put(block('x')));
  sim.run();
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    open_reader();
    auto all =
      std::ranges::all_of(held, [&](const auto& each) { return find(each.id()).has_value(); });
    ::_exit(all ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WEXITSTATUS(status) == 0);
  // All that is there is pinned by a process that no longer exists.
  CHECK(node->get(node->put(block('y')))->front() == 'y');
}

// -- figures and log --------------------------------------------------------------------------

TEST_CASE_FIXTURE(arena_node, "the arena's figures add up") {
  auto& node = start();
  auto ref = node.put(block('f'));
  auto stats = node.stats();
  CHECK(stats.table_slots_used == 1);
  CHECK(stats.arena_used_bytes >= 500'000);
  CHECK(stats.arena_used_bytes < 500'000 + arena_heap::page_alignment);
  CHECK(stats.arena_committed_bytes >= stats.arena_used_bytes);
  CHECK(stats.arena_committed_bytes <= stats.arena_bytes);
  CHECK(stats.late_commit_bytes == stats.arena_committed_bytes);
  CHECK(stats.largest_free_bytes > 3 << 20);
  ref = {};
  stats = node.stats();
  CHECK(stats.table_slots_used == 0);
  CHECK(stats.arena_used_bytes == 0);
}

TEST_CASE("a stock of faulted-in memory is made ready") {
  config settings;
  settings.set("mobula.store-size", std::string{"64MiB"});
  settings.set("mobula.prefault", std::string{"8MiB"});
  caf::actor_system system{settings};
  node node{system};
  while (node.stats().prefault_ready_bytes < 8 << 20) {
    // Each look is a message; the filler gets its turn.
  }
  auto before = node.stats().late_commit_bytes;
  auto ref = node.put(std::string(1 << 20, 'x'));
  CHECK(node.stats().late_commit_bytes == before);
}

TEST_CASE("each change of pressure is one line of the log, whatever the number of objects") {
  test::temporary_directory directory;
  auto log = directory.path() / "log";
  {
    config settings;
    settings.set(caf_options::log_file, log.string());
    settings.set(caf_options::log_verbosity, caf_options::word("info"));
    settings.set("mobula.store-size", std::string{"4MiB"});
    settings.set("mobula.shards", std::int64_t{1});
    settings.set("mobula.spill-dirs", std::vector<std::string>{directory.path() / "spills"});
    caf::actor_system system{settings};
    node node{system};
    std::vector<ObjectRef<std::string>> held;
    for (int count = 0; count < 40; ++count)
      held.push_back(node.put(block('x')));
  }
  std::ifstream lines{log};
  int changes = 0;
  std::string level;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("store of node") == std::string::npos)
      continue;
    ++changes;
    auto told = line.substr(line.rfind(": "));
    told.resize(told.find(','));
    CHECK(told != level);
    level = told;
  }
  CHECK(changes >= 2);
}
