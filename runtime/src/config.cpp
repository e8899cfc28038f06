// Declares a node's options to CAF and reads command lines. Their values are read in
// option_reading.cpp, which of them make sense is in option_ranges.cpp, typing errors are explained
// in option_words.cpp.

#include "mobula/config.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>

#include <caf/config_option_adder.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/caf_options.hpp"
#include "mobula/actors/caf/message_registry.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/wire/cluster_messages.hpp"
#include "mobula/actors/wire/name_messages.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/object_ref.hpp"
#include "mobula/runtime/cluster_options.hpp"
#include "mobula/runtime/option_file.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/option_reading.hpp"
#include "mobula/runtime/option_words.hpp"
#include "mobula/runtime/size_option.hpp"
#include "mobula/runtime/time_option.hpp"
#include "mobula/runtime/worker_thread.hpp"

namespace mobula {

using namespace internal;

namespace {

struct declared_option {
  std::string_view name;
  std::string_view description;
};

// Those of the options, in the order of `--help`, where each has a line.

constexpr declared_option declared_sizes[] = {
  {"store-size", "bytes for values above inline-limit (default 30 % of the memory granted)"},
  {"heap-limit", "bytes for smaller ones (default 20 % of the memory granted)"},
  {"inline-limit", "largest value in the process heap (default 100KiB)"},
  {"prefault", "free bytes kept ready for puts (default as many as used, 4MiB to 256MiB)"},
  {"spill-limit", "bytes on disk; 0: as many as there are (default 0)"},
  {"spill-file-size", "bytes at which a spill file is closed (default 128MiB)"},
  {"credit", "bytes of space lent ahead of need (default what is free)"},
  {"piggyback", "bytes of small values that travel with references (default 4KiB)"},
  {"message-limit", "bytes of one message from another node at most (default 256MiB)"},
};

void declare_others(caf::config_option_adder group) {
  group.add<std::string>("arena-dir", "tmpfs that holds the store (default /dev/shm)")
    .add<std::vector<std::string>>("spill-dirs", "directories for what does not fit (default none)")
    .add<std::int64_t>("spill-threshold",
                       "percent of the space above which values are spilled (default 80)")
    .add<std::int64_t>("spill-workers", "threads that read and write spill files (default 2)")
    .add<std::int64_t>("shards", "actors that share the space (default 2)")
    .add<std::string>("listen",
                      "ADDRESS:PORT where nodes may join; no address: loopback (default none)")
    .add<std::string>("join", "ADDRESS:PORT of a member of the cluster to join (default none)")
    .add<bool>("insecure",
               "listen also where other hosts connect, without authentication (default false)")
    .add<std::vector<std::string>>(
      "advertise",
      "ADDRESSes or ADDRESS:PORTs that other nodes get (default those of the interfaces)")
    .add<std::int64_t>("data-port", "port from which others fetch large values; 0: any (default 0)")
    .add<std::string>("cluster", "name of the cluster, part of file names (default mobula)")
    .add<std::string>("name", "what logs and the mobula command call this node (default HOST:PID)")
    .add<std::string>("same-host-reading",
                      "auto: in the shared memory of the host's nodes; off (default auto)")
    .add<std::string>("compression",
                      "of values on their way to other hosts: auto, on or off (default auto)")
    .add<bool>("record-call-sites", "objects remember where they were made (default false)")
    .add<std::int64_t>("seed", "seed of all ids; 0: drawn from the system (default 0)");
}

constexpr declared_option declared_times[] = {
  {"full-timeout", "how long a put waits when nothing can move (default 2s)"},
  {"heartbeat-interval", "how often nodes say that they live (default 1s)"},
  {"heartbeat-timeout", "silence after which a node is dead (default 10s)"},
  {"transit-lease", "age at which references in messages are looked after (default 10s)"},
  {"grace-period", "how long what a lost node held is kept (default 30s)"},
  {"drain", "how long a leaving node has others take values; 0s: not at all (default 0s)"},
  {"stop-limit", "how long a program may take to end after a signal (default 10s)"},
};

/// Throws `object_error` (`invalid_argument`) for what is no option. Options of applications are in
/// the configuration as well.
void require_known_keys(const caf::actor_system_config& settings) {
  if (const auto* ours = dynamic_cast<const config*>(&settings))
    if (auto text = ours->explain_unknown())
      throw object_error{{.type = error_type::invalid_argument, .message = *std::move(text)}};
}

/// CAF takes zeros with which it would never end.
void require_no_zeros(const caf::settings& settings) {
  for (const std::string option : caf_options::never_zero)
    if (auto number = caf::get_if<std::int64_t>(&settings, option); number && *number == 0)
      throw object_error{
        {.type = error_type::invalid_argument,
         .message = fmt::format("option {} is 0, but must be at least 1; leave it out for CAF's "
                                "default",
                                option)}};
}

caf::error invalid(std::string text) {
  return to_caf_error({.type = error_type::invalid_argument, .message = std::move(text)});
}

std::vector<std::string> words_of(int argc, char** argv) {
  return argc > 1 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>{};
}

} // namespace

std::uint64_t parse_size(std::string_view option, std::string_view text) {
  return read_size(option, text);
}

config::config() {
  mark_worker_threads(*this);
  prepare_network_at_start(*this);
  // Idle workers of CAF's own choice poll, with sleeps between: that doubles what a message to
  // another process takes, and wears hosts out on which many nodes run.
  set(caf_options::scheduler_policy, caf_options::word("sharing"));
  for (const auto& each : declared_sizes)
    custom_options_.add(size_option(each.name, each.description));
  declare_others(opt_group{custom_options_, "mobula"});
  for (const auto& each : declared_times)
    custom_options_.add(time_option(each.name, each.description));
  add_error_rendering(*this);
  add_cluster_messages(*this);
  add_report_messages(*this);
  add_peer_messages(*this);
  add_name_messages(*this);
  // What errors carry that actors on different nodes answer with.
  add_message<error_info>(*this, "mobula::error_info");
  // What a published name may stand for; actors are known to CAF.
  add_message<ObjectRef<void>>(*this, "mobula::any_object_ref");
}

void config::keep(caf::string_view name, caf::config_value value) {
  caf::actor_system_config::set(name, value);
  if (const auto* kept = caf::get_if(&content, name); kept == nullptr || *kept != value)
    caf::put(content, name, std::move(value));
}

std::optional<std::string> config::explain_unknown() const {
  return explain_keys(custom_options_, content, {});
}

/// Returns whether the command line asks for something to be printed, and prints it.
bool config::print_what_is_asked(const std::vector<std::string>& words) {
  auto is_help = [](const std::string& word) {
    return word == "-h" || word == "-?";
  };
  auto takes_version = custom_options_.cli_long_name_lookup("version") != nullptr;
  if (has_flag(custom_options_, words, "help") || std::ranges::any_of(words, is_help))
    std::cout << help_of(custom_options_);
  else if (!takes_version && has_flag(custom_options_, words, "version"))
    std::cout << fmt::format("mobula {} (CAF {}.{}.{})\n", dialect_of({}).library_version,
                             CAF_MAJOR_VERSION, CAF_MINOR_VERSION, CAF_PATCH_VERSION);
  else
    return false;
  std::cout << std::flush;
  cli_helptext_printed = true;
  return true;
}

/// Has CAF read a file and the words behind it. The flags that the words turn off are so between
/// the two: for `--dump-config`, CAF prints what it has as soon as it has read the words.
caf::error config::read_with_caf(const std::string& file, const internal::flag_words& flags) {
  std::istringstream content_of_file{file};
  if (!flags.off.empty()) {
    if (auto error = caf::actor_system_config::parse(std::vector<std::string>{}, content_of_file))
      return error;
    for (const auto* flag : flags.off)
      turn_off(content, *flag);
    content_of_file = std::istringstream{};
  }
  return caf::actor_system_config::parse(flags.words, content_of_file);
}

caf::error config::parse(int argc, char** argv, const char* ini_file) {
  auto words = words_of(argc, argv);
  auto flags = take_flag_values(custom_options_, words);
  if (print_what_is_asked(flags.words))
    return caf::none;
  auto file = read_option_file(words, ini_file != nullptr ? ini_file : config_file_path);
  config_file_path = file.path;
  if (auto text = explain_file(custom_options_, file))
    return invalid(*std::move(text));
  if (auto error = read_with_caf(file.text, flags)) {
    // CAF tells the word and a code.
    if (auto text = explain_words(custom_options_, words))
      return invalid(*std::move(text));
    return error;
  }
  try {
    require_no_zeros(content);
    if (auto text = explain_keys(custom_options_, content, file))
      return invalid(*std::move(text));
    static_cast<void>(read_options(*this));
    prepare_network(*this);
  } catch (const object_error& error) {
    return to_caf_error(error.info());
  }
  return caf::none;
}

void require_valid(const node_options& options) {
  require_good_values(options);
}

std::chrono::nanoseconds read_stop_limit(const caf::actor_system_config& config) {
  return stop_limit_of(config);
}

node_options read_options(const caf::actor_system_config& config) {
  require_known_keys(config);
  return node_options_of(config);
}

} // namespace mobula
