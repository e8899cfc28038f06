#include "one_node.hpp"

#include <array>

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
  return caf::to_string(caf::get_or(settings, "scheduler.policy", caf::atom("none")));
}

} // namespace

TEST_CASE("without options there are defaults") {
  auto options = options_of({});
  CHECK(options.inline_limit_bytes == 100 * 1024);
  CHECK(options.spill_directories.empty());
  CHECK(options.store_size_bytes == 0);
  CHECK(options.heap_limit_bytes == 0);
  CHECK(options.arena_directory == "/dev/shm");
  CHECK(options.prefault_bytes == std::nullopt);
  CHECK(options.call_sites == call_site_recording::off);
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
