// The edges of every option, whichever way it comes: a node refuses what is below or above, and
// says which option, which value, which range and what to do.

#include "one_node.hpp"

#include <filesystem>
#include <functional>
#include <limits>

#include <mobula/runtime/option_ranges.hpp>

#include "../contains.hpp"
#include "../temporary_directory.hpp"

#include "mobula/actors/caf/caf_options.hpp"

using namespace mobula;
using namespace mobula::internal;
using namespace std::literals;
using test::contains;

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = kib * kib;
constexpr std::uint64_t gib = kib * mib;
constexpr std::uint64_t tib = kib * gib;

/// What a user may write, and the first numbers that are out of range.
struct edges {
  std::string_view name;
  std::function<void(node_options&, std::uint64_t)> set;
  std::vector<std::uint64_t> good;
  std::vector<std::uint64_t> bad;
  std::string_view bad_text; ///< how the first of them is shown
};

const std::vector<edges> number_edges{
  {"mobula.inline-limit",
   [](node_options& options, std::uint64_t value) { options.inline_limit_bytes = value; },
   {0, 1, gib},
   {gib + 1},
   "1073741825 bytes"},
  {"mobula.store-size",
   [](node_options& options, std::uint64_t value) {
     options.store_size_bytes = value;
     options.shards = 1;
   },
   {0, 64 * kib, kib* tib},
   {64 * kib - 1, 1, kib* tib + 1},
   "65535 bytes"},
  {"mobula.heap-limit",
   [](node_options& options, std::uint64_t value) { options.heap_limit_bytes = value; },
   {0, 64 * kib, kib* tib},
   {64 * kib - 1, 1, kib* tib + 1},
   "65535 bytes"},
  {"mobula.prefault",
   [](node_options& options, std::uint64_t value) { options.prefault_bytes = value; },
   {0, tib},
   {tib + 1},
   "1099511627777 bytes"},
  {"mobula.shards",
   [](node_options& options, std::uint64_t value) {
     options.shards = static_cast<std::uint32_t>(value);
   },
   {1, 64},
   {0, 65, std::numeric_limits<std::uint32_t>::max()},
   "0"},
  {"mobula.spill-limit",
   [](node_options& options, std::uint64_t value) { options.spill_limit_bytes = value; },
   {0, 1, mib* tib},
   {mib * tib + 1},
   "1152921504606846977 bytes"},
  {"mobula.spill-file-size",
   [](node_options& options, std::uint64_t value) { options.spill_file_bytes = value; },
   {mib, 64 * gib},
   {mib - 1, 0, 64 * gib + 1},
   "1048575 bytes"},
  {"mobula.spill-threshold",
   [](node_options& options, std::uint64_t value) {
     options.spill_threshold_percent = static_cast<std::uint32_t>(value);
   },
   {1, 100},
   {0, 101},
   "0 %"},
  {"mobula.spill-workers",
   [](node_options& options, std::uint64_t value) {
     options.spill_workers = static_cast<std::uint32_t>(value);
   },
   {1, 64},
   {0, 65},
   "0"},
  {"mobula.credit",
   [](node_options& options, std::uint64_t value) { options.lent_bytes = value; },
   {0, tib},
   {tib + 1},
   "1099511627777 bytes"},
  {"mobula.piggyback",
   [](node_options& options, std::uint64_t value) { options.piggyback_bytes = value; },
   {0, mib},
   {mib + 1},
   "1048577 bytes"},
  {"mobula.message-limit",
   [](node_options& options, std::uint64_t value) { options.message_limit_bytes = value; },
   {mib, 4 * gib - 1},
   {mib - 1, 0, 4 * gib},
   "1048575 bytes"},
  {"node_options::transfer_chunk_bytes",
   [](node_options& options, std::uint64_t value) { options.transfer_chunk_bytes = value; },
   {512, 16 * mib},
   {511, 0, 16 * mib + 1, std::numeric_limits<std::uint64_t>::max()},
   "511 bytes"},
};

/// What is wrong with default options changed by `change`; nothing if they are good.
std::string flaw_of(const std::function<void(node_options&)>& change) {
  node_options options;
  change(options);
  try {
    require_valid(options);
  } catch (const object_error& error) {
    CHECK(error.type() == error_type::invalid_argument);
    return error.info().message;
  }
  return {};
}

/// What a node says to options that were set in its system's configuration.
template <class Value>
std::string refusal_of(const std::string& option, Value value) {
  config settings;
  settings.set(option, std::move(value));
  caf::actor_system system{settings};
  return message_of([&] { node refused{system}; });
}

} // namespace

TEST_CASE("each number is good within its range, ends included") {
  for (const auto& option : number_edges)
    for (auto value : option.good) {
      CAPTURE(option.name);
      CAPTURE(value);
      CHECK(flaw_of([&](node_options& options) { option.set(options, value); }) == "");
    }
}

TEST_CASE("a number beyond its range is refused by name, with value, range and remedy") {
  for (const auto& option : number_edges)
    for (auto value : option.bad) {
      CAPTURE(value);
      auto flaw = flaw_of([&](node_options& options) { option.set(options, value); });
      CHECK_MESSAGE(flaw.starts_with("option " + std::string{option.name} + " is "), flaw);
      CHECK_MESSAGE(contains(flaw, ", but must be from "), flaw);
      CHECK_MESSAGE(contains(flaw, "; "), flaw);
      if (value == option.bad.front())
        CHECK_MESSAGE(contains(flaw, option.bad_text), flaw);
    }
}

TEST_CASE("every number that has a range has its edges here") {
  std::vector<std::string_view> tested;
  for (const auto& option : number_edges)
    tested.push_back(option.name);
  std::vector<std::string_view> known;
  for (const auto& range : number_ranges())
    known.push_back(range.name);
  CHECK(tested == known);
}

TEST_CASE("a time is good from its least to as long as possible, and refused below") {
  for (const auto& range : time_ranges()) {
    CAPTURE(range.name);
    for (auto good : {range.least, std::chrono::nanoseconds::max()})
      CHECK(flaw_of([&](node_options& options) { options.*range.value = good; }) == "");
    for (auto bad : {range.least - 1ns, -1ns, std::chrono::nanoseconds::min()}) {
      auto flaw = flaw_of([&](node_options& options) { options.*range.value = bad; });
      CHECK_MESSAGE(flaw.starts_with("option " + std::string{range.name} + " is " + show_time(bad)
                                     + ", but must be "),
                    flaw);
    }
  }
}

TEST_CASE("times that have to pass are more than nothing, waits may be none") {
  auto least_of = [](std::string_view name) {
    auto range = std::ranges::find(time_ranges(), name, &time_range::name);
    REQUIRE(range != time_ranges().end());
    return range->least;
  };
  CHECK(time_ranges().size() == 4);
  CHECK(least_of("mobula.transit-lease") == 1ns);
  CHECK(least_of("mobula.grace-period") == 1ns);
  CHECK(least_of("mobula.full-timeout") == 0ns);
  CHECK(least_of("mobula.drain") == 0ns);
}

TEST_CASE("advertised addresses that nobody could dial are refused, with the one that is meant") {
  auto flaw = [](std::vector<std::string> addresses) {
    return flaw_of([&](node_options& options) { options.advertise = std::move(addresses); });
  };
  CHECK(flaw({"10.0.0.7", "host7.example:4242", "[fd00::7]:4242"}) == "");
  CHECK(flaw(std::vector<std::string>(16, "10.0.0.7")) == "");
  CHECK(
    contains(flaw(std::vector<std::string>(17, "10.0.0.7")), "mobula.advertise is a list of 17"));
  for (const auto* bad : {"", "0.0.0.0", "host:0", "host:99999", "two words"})
    CHECK(contains(flaw({"10.0.0.7", bad}), "option mobula.advertise is a list with \""
                                              + std::string{bad} + "\", but must be"));
}

TEST_CASE("a data port that cannot be is refused by name") {
  for (auto bad : {-1, 65'536})
    CHECK(contains(refusal_of("mobula.data-port", bad), "mobula.data-port"));
}

TEST_CASE("whether a node may listen where others connect is true or false") {
  CHECK(contains(refusal_of("mobula.insecure", 1), "mobula.insecure"));
  CHECK(contains(flaw_of([](node_options& options) { options.listening = listening_scope{7}; }),
                 "option mobula.insecure is 7, but must be true or false"));
}

TEST_CASE("a small store may have as many shards as a large one") {
  auto flaw = flaw_of([](node_options& options) {
    options.store_size_bytes = 64 * kib;
    options.shards = 64;
  });
  CHECK(flaw == "");
}

TEST_CASE("a choice that has no name is refused") {
  auto flaw = [](auto node_options::*member, int value) {
    return flaw_of([&](node_options& options) {
      options.*member = static_cast<std::remove_cvref_t<decltype(options.*member)>>(value);
    });
  };
  CHECK(contains(flaw(&node_options::same_host_reading, 2), "mobula.same-host-reading is 2"));
  CHECK(contains(flaw(&node_options::compression, 3), "mobula.compression is 3"));
  CHECK(contains(flaw(&node_options::call_sites, 2), "mobula.record-call-sites is 2"));
}

TEST_CASE("directories have names") {
  auto arena = [](std::string name) {
    return flaw_of([&](node_options& options) { options.arena_directory = std::move(name); });
  };
  CHECK(contains(arena(""), "mobula.arena-dir is empty"));
  CHECK(contains(arena("/dev\0shm"s), "mobula.arena-dir"));
  auto spills = [](std::vector<std::string> names) {
    return flaw_of([&](node_options& options) { options.spill_directories = std::move(names); });
  };
  CHECK(contains(spills({"/tmp", ""}), "mobula.spill-dirs"));
  CHECK(contains(spills({"/tmp\0x"s}), "mobula.spill-dirs"));
  std::vector<std::string> many;
  for (int number = 0; number < 64; ++number)
    many.push_back("/tmp/" + std::to_string(number));
  CHECK(spills(many) == "");
  many.emplace_back("/tmp/one-more");
  CHECK(contains(spills(many), "a list of at most 64"));
}

TEST_CASE("a spill directory that is named twice is said to be, however it is written") {
  auto flaw = [](std::vector<std::string> names) {
    return flaw_of([&](node_options& options) { options.spill_directories = std::move(names); });
  };
  CHECK(contains(flaw({"/tmp/a", "/tmp/b", "/tmp/a"}), "names /tmp/a twice"));
  CHECK(contains(flaw({"/tmp/a", "/tmp/b/../a/"}), "names /tmp/a twice, as /tmp/a and as "));
  auto here = std::filesystem::current_path().string() + "/spilled";
  CHECK(contains(flaw({"spilled", here}), "twice, as spilled and as " + here));
  test::temporary_directory directory;
  auto real = (directory.path() / "real").string();
  auto other_name = (directory.path() / "other_name").string();
  std::filesystem::create_directory(real);
  std::filesystem::create_symlink(real, other_name);
  CHECK(contains(flaw({real, other_name}), "twice"));
  CHECK(flaw({real, real + "r"}) == "");
}

TEST_CASE("relative directories are absolute in a node, which may change where it is") {
  test::temporary_directory directory{"/dev/shm"}; // arenas need a tmpfs
  const struct stay_here {
    std::filesystem::path before = std::filesystem::current_path();

    ~stay_here() {
      std::filesystem::current_path(before);
    }
  } stay{};
  std::filesystem::current_path(directory.path());
  {
    testing::simulation sim;
    auto options = sim.default_options();
    options.arena_directory = ".";
    options.spill_directories = {"one", "./two/../three"};
    auto& node = sim.add_node(options);
    auto here = std::filesystem::current_path().string();
    std::filesystem::current_path("/");
    CHECK(node.options().arena_directory == here);
    CHECK(node.options().spill_directories == std::vector{here + "/one", here + "/three"});
    CHECK(std::filesystem::is_directory(here + "/three"));
  }
}

TEST_CASE("a node's name has at most 64 bytes of printable text") {
  auto flaw = [](std::string name) {
    return flaw_of([&](node_options& options) { options.name = std::move(name); });
  };
  CHECK(flaw("").empty());
  CHECK(flaw(std::string(64, 'n')).empty());
  for (const auto& name : {std::string(65, 'n'), std::string{"two\nlines"}, std::string{"\x7F"}})
    CHECK(contains(flaw(name), "mobula.name"));
}

TEST_CASE("a cluster's name has 1 to 64 letters that fit into a file's name") {
  auto flaw = [](std::string name) {
    return flaw_of([&](node_options& options) { options.cluster = std::move(name); });
  };
  CHECK(flaw("a") == "");
  CHECK(flaw(std::string(64, 'a')) == "");
  for (const auto& name : {""s, std::string(65, 'a'), "a/b"s, "a b"s, "a\0b"s})
    CHECK(contains(flaw(name), "mobula.cluster"));
}

TEST_CASE("bytes and times are shown as users write them") {
  CHECK(show_bytes(0) == "0 bytes");
  CHECK(show_bytes(1) == "1 byte");
  CHECK(show_bytes(1000) == "1000 bytes");
  CHECK(show_bytes(1024) == "1KiB");
  CHECK(show_bytes(1536 * mib) == "1536MiB");
  CHECK(show_bytes(3 * tib) == "3TiB");
  CHECK(show_time(2s) == "2s");
  CHECK(show_time(-1500ms) == "-1500ms");
  CHECK(show_time(7ns) == "7ns");
}

// -- ways that options come -----------------------------------------------------------------------

TEST_CASE("a node refuses bad options of a struct") {
  testing::simulation sim;
  auto options = sim.default_options();
  options.transfer_chunk_bytes = 0;
  CHECK(message_of([&] { sim.add_node(options); })
        == "option node_options::transfer_chunk_bytes is 0 bytes, but must be from 512 bytes to "
           "16MiB; 4MiB suits most networks");
}

TEST_CASE("a node refuses bad options that were set") {
  CHECK(contains(refusal_of("mobula.shards", std::int64_t{65}), "mobula.shards is 65"));
  CHECK(contains(refusal_of("mobula.store-size", "1KiB"s), "mobula.store-size is 1KiB"));
  CHECK(contains(refusal_of("mobula.store-size", std::int64_t{-1}), "mobula.store-size is -1"));
  CHECK(contains(refusal_of("mobula.drain", caf::timespan{-1}), "mobula.drain is -1ns"));
}

TEST_CASE("a node refuses options of another kind than theirs") {
  CHECK(contains(refusal_of("mobula.shards", "4"s), "must be a whole number"));
  CHECK(contains(refusal_of("mobula.store-size", true), "must be a number of bytes"));
  CHECK(contains(refusal_of("mobula.prefault", 0.5), "must be a number of bytes"));
  CHECK(contains(refusal_of("mobula.drain", "5s"s), "must be a time"));
  CHECK(contains(refusal_of("mobula.drain", std::int64_t{5}), "must be a time"));
  CHECK(contains(refusal_of("mobula.cluster", std::int64_t{5}), "must be a text"));
  CHECK(contains(refusal_of("mobula.spill-dirs", "/tmp"s), "must be a list of texts"));
  CHECK(contains(refusal_of("mobula.compression", true), "must be auto or on or off"));
  CHECK(contains(refusal_of("mobula.record-call-sites", "yes"s), "must be true or false"));
  CHECK(contains(refusal_of("mobula.heartbeat-timeout", std::int64_t{5}), "must be a time"));
}

TEST_CASE("a node refuses heartbeats that make no sense") {
  CHECK(contains(refusal_of("mobula.heartbeat-interval", caf::timespan{999us}),
                 "mobula.heartbeat-interval is 999000ns"));
  CHECK(contains(refusal_of("mobula.heartbeat-interval", caf::timespan{5001ms}),
                 "mobula.heartbeat-timeout is 10s"));
  CHECK(contains(refusal_of("mobula.heartbeat-interval", caf::timespan::max()),
                 "mobula.heartbeat-timeout is 10s"));
  CHECK(contains(refusal_of("mobula.heartbeat-timeout", caf::timespan{-1}),
                 "mobula.heartbeat-timeout is -1ns"));
}

TEST_CASE("heartbeats that were set reach the network") {
  config settings;
  settings.set("mobula.heartbeat-interval", caf::timespan{20ms});
  settings.set("mobula.heartbeat-timeout", caf::timespan{90ms});
  caf::actor_system system{settings};
  CHECK(caf::get_or(system.config(), caf_options::heartbeat_interval, caf::timespan{})
        == caf::timespan{20ms});
  CHECK(caf::get_or(system.config(), caf_options::connection_timeout, caf::timespan{})
        == caf::timespan{90ms});
}

TEST_CASE("a grace period that ends before silence is noticed is refused, one longer is good") {
  node_options options;
  options.grace_period = 10s;
  CHECK(message_of([&] { require_valid_times(options, 10s); })
          .starts_with("option mobula.grace-period is 10s, but must be longer than "
                       "mobula.heartbeat-timeout, which is 10s; "));
  options.grace_period = 10s + 1ns;
  require_valid_times(options, 10s);
  options.grace_period = std::chrono::nanoseconds::max();
  require_valid_times(options, std::chrono::nanoseconds::max());
}
