// Where a node's options come from, and what is said about one that makes no sense.

#include "../temporary_directory.hpp"
#include "one_node.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_options.hpp"

using namespace mobula;

namespace {

/// Reads a command line.
void parse(config& settings, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> pointers;
  for (auto& argument : arguments)
    pointers.push_back(argument.data());
  if (auto error = settings.parse(static_cast<int>(pointers.size()), pointers.data(), "/dev/null"))
    throw object_error{to_error_info(error)};
}

node_options options_of(std::vector<std::string> arguments) {
  config settings;
  parse(settings, std::move(arguments));
  return read_options(settings);
}

std::string policy_of(std::vector<std::string> arguments) {
  config settings;
  parse(settings, std::move(arguments));
  return caf_options::word_of(settings, caf_options::scheduler_policy);
}

} // namespace

TEST_CASE("a node refuses a system whose configuration is not of Mobula") {
  caf::actor_system_config foreign;
  caf::actor_system system{foreign};
  auto text = message_of([&] { node refused{system}; });
  CHECK(text.find("mobula::config") != std::string::npos);
}

TEST_CASE("a time that is longer than nanoseconds can say is as long as it takes") {
  for (const auto* text : {"200000000min", "400000000min", "10000000000s", "9999999999h",
                           "99999999999999999999s", "9223372036854775807ns"})
    CHECK(options_of({fmt::format("--mobula.full-timeout={}", text)}).full_timeout
          == std::chrono::nanoseconds::max());
  CHECK(options_of({"--mobula.drain=9223372036s"}).drain_timeout
        == std::chrono::seconds{9223372036});
  for (const auto* text : {"-400000000min", "-9223372036854775808ns", "-1ns"})
    CHECK(error_of([&] { options_of({fmt::format("--mobula.full-timeout={}", text)}); })
          == error_type::invalid_argument);
}

TEST_CASE("times are read in all their units, and not without one") {
  using namespace std::chrono_literals;
  CHECK(options_of({"--mobula.drain=7ns"}).drain_timeout == 7ns);
  CHECK(options_of({"--mobula.drain=7us"}).drain_timeout == 7us);
  CHECK(options_of({"--mobula.drain=7ms"}).drain_timeout == 7ms);
  CHECK(options_of({"--mobula.drain=7s"}).drain_timeout == 7s);
  CHECK(options_of({"--mobula.drain=7min"}).drain_timeout == 7min);
  CHECK(options_of({"--mobula.drain=7h"}).drain_timeout == 7h);
  for (const auto* text : {"7", "s", "", "7 s", "7sec", "7.5s", "soon"})
    CHECK_THROWS_AS(options_of({fmt::format("--mobula.drain={}", text)}), object_error);
}

TEST_CASE("an address of another kind than a text is refused by name") {
  for (const std::string option : {"mobula.listen", "mobula.join"}) {
    config settings;
    settings.set(option, 4242);
    CHECK(message_of([&] { static_cast<void>(read_options(settings)); }).find(option)
          != std::string::npos);
    config other;
    other.set(option, std::string{"nowhere"});
    CHECK(message_of([&] { static_cast<void>(read_options(other)); }).find(option)
          != std::string::npos);
  }
}

TEST_CASE("a number of seeds that is none is refused, and does not pass as no runs at all") {
  for (const auto* text : {"", "many", "-1", "7x", "99999999999999999999"}) {
    ::setenv("MOBULA_SEEDS", text, 1);
    auto refused = message_of([] { testing::for_each_seed(1, 1, [](testing::simulation&) {}); });
    CHECK(refused.find("MOBULA_SEEDS") != std::string::npos);
  }
  ::unsetenv("MOBULA_SEEDS");
  CHECK(error_of([] { testing::simulation sim(1, nullptr); }) == error_type::invalid_argument);
}

TEST_CASE("without options there are defaults") {
  auto options = options_of({});
  CHECK(options.inline_limit_bytes == 100 * 1024);
  CHECK(options.spill_directories.empty());
  CHECK(options.store_size_bytes == 0);
  CHECK(options.heap_limit_bytes == 0);
  CHECK(options.arena_directory == "/dev/shm");
  CHECK(options.prefault_bytes == std::nullopt);
  CHECK(options.call_sites == call_site_recording::off);
  CHECK(options.listening == listening_scope::loopback);
  CHECK(options.advertise.empty());
  CHECK(options.data_port == 0);
}

TEST_CASE("where a node is found comes from the command line") {
  auto options = options_of({"--mobula.insecure", "--mobula.data-port=4243",
                             "--mobula.advertise=[\"10.0.0.7\", \"host7.example:4242\"]"});
  CHECK(options.listening == listening_scope::any);
  CHECK(options.data_port == 4243);
  CHECK(options.advertise == std::vector<std::string>{"10.0.0.7", "host7.example:4242"});
}

TEST_CASE("call sites are recorded if the command line says so") {
  CHECK(options_of({"--mobula.record-call-sites"}).call_sites == call_site_recording::on);
}

TEST_CASE("options come from the command line") {
  auto options = options_of(
    {"--mobula.inline-limit=4KiB", "--mobula.store-size=64MB", "--mobula.heap-limit=16MiB",
     "--mobula.shards=4", "--mobula.spill-dirs=[\"/tmp/a\",\"/tmp/b\"]", "--mobula.seed=9",
     "--mobula.full-timeout=5s", "--mobula.arena-dir=/tmp/arena", "--mobula.prefault=1MiB"});
  CHECK(options.inline_limit_bytes == 4096);
  CHECK(options.store_size_bytes == 64'000'000);
  CHECK(options.heap_limit_bytes == 16 << 20);
  CHECK(options.shards == 4);
  CHECK(options.spill_directories == std::vector<std::string>{"/tmp/a", "/tmp/b"});
  CHECK(options.seed == 9);
  CHECK(options.arena_directory == "/tmp/arena");
  CHECK(options.prefault_bytes == 1 << 20);
  CHECK(options.full_timeout == std::chrono::seconds{5});
}

TEST_CASE("sizes are read with and without units") {
  CHECK(parse_size("store-size", "4096") == 4096);
  CHECK(parse_size("store-size", "1.5KiB") == 1536);
  CHECK(parse_size("store-size", "2 GB") == 2'000'000'000);
}

TEST_CASE("a bad size is refused with option, value and remedy") {
  for (auto* text : {"", "x", "12XB", "-1", "1e30", "nan", "64 M B"}) {
    auto message = message_of([&] { static_cast<void>(parse_size("store-size", text)); });
    CHECK(message.find("mobula.store-size") != std::string::npos);
    CHECK(message.find(text) != std::string::npos);
    CHECK(message.find("64MiB") != std::string::npos);
  }
}

TEST_CASE("a value out of range is refused with option, value and range") {
  CHECK(message_of([] { static_cast<void>(options_of({"--mobula.shards=0"})); })
        == "option mobula.shards is 0, but must be from 1 to 64; 2 are enough for most machines");
  CHECK(error_of([] { static_cast<void>(options_of({"--mobula.shards=-1"})); })
        == error_type::invalid_argument);
  CHECK(error_of([] { static_cast<void>(options_of({"--mobula.spill-threshold=101"})); })
        == error_type::invalid_argument);
  CHECK(error_of([] { static_cast<void>(options_of({"--mobula.cluster=a/b"})); })
        == error_type::invalid_argument);
  CHECK(error_of([] { static_cast<void>(options_of({"--mobula.drain=-1s"})); })
        == error_type::invalid_argument);
  CHECK(error_of([] { static_cast<void>(options_of({"--mobula.prefault=2TiB"})); })
        == error_type::invalid_argument);
  CHECK(error_of([] { static_cast<void>(options_of({"--mobula.store-size=1KiB"})); })
        == error_type::invalid_argument);
}

TEST_CASE("what can only be one of some words is refused with these words") {
  CHECK(options_of({"--mobula.compression=on"}).compression == compression_mode::on);
  CHECK(options_of({"--mobula.same-host-reading=off"}).same_host_reading == reading_in_place::off);
  CHECK(message_of([] { static_cast<void>(options_of({"--mobula.compression=gzip"})); })
        == "option mobula.compression is \"gzip\", but must be auto or on or off");
}

TEST_CASE("idle threads wait for work, unless the user wants them to look for it") {
  CHECK(policy_of({}) == "sharing");
  CHECK(policy_of({"--scheduler.policy=stealing"}) == "stealing");
}

TEST_CASE("a spill directory that cannot be made is refused by name") {
  testing::simulation sim;
  auto options = sim.default_options();
  options.spill_directories = {"/proc/no-such-place"};
  auto message = message_of([&] { sim.add_node(options); });
  CHECK(message.find("mobula.spill-dirs") != std::string::npos);
  CHECK(message.find("/proc/no-such-place") != std::string::npos);
}

TEST_CASE("of a spill directory's path only the last part is made") {
  test::temporary_directory directory;
  testing::simulation sim;
  auto options = sim.default_options();
  auto path = directory.path().string();
  options.spill_directories = {path + "/typo/spill"};
  CHECK(message_of([&] { sim.add_node(options); }).find(path + "/typo/spill") != std::string::npos);
  CHECK(!std::filesystem::exists(path + "/typo"));
  options.spill_directories = {path + "/spill"};
  sim.add_node(options);
  CHECK(std::filesystem::is_directory(path + "/spill"));
}

TEST_CASE("the inline limit decides where a value lives") {
  testing::simulation sim;
  auto options = sim.default_options();
  options.inline_limit_bytes = 10;
  auto& node = sim.add_node(options);
  auto small = node.put(std::array<char, 10>{});
  auto large = node.put(std::array<char, 11>{});
  CHECK(node.stats().inline_values == object_count{1, 10});
  CHECK(node.stats().stored == object_count{1, 11});
}
