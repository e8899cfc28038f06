// Declares a node's options to CAF and reads them, with words for what is wrong with one. Which
// values make sense is in option_ranges.cpp, typing errors are explained in option_words.cpp.

#include "mobula/config.hpp"

#include <algorithm>
#include <iostream>
#include <limits>
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
#include "mobula/runtime/endpoint_option.hpp"
#include "mobula/runtime/option_file.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/option_words.hpp"
#include "mobula/runtime/size_option.hpp"
#include "mobula/runtime/time_option.hpp"
#include "mobula/runtime/worker_thread.hpp"

namespace mobula {

using namespace internal;

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string_view range) {
  throw object_error{
    {.type = error_type::invalid_argument,
     .message = fmt::format("option mobula.{} is {}, but must be {}", option, value, range)}};
}

/// A value that users write as a word.
template <class T>
struct named_choice {
  std::string_view name;
  T value;
};

constexpr named_choice<reading_in_place> reading_choices[] = {
  {"auto", reading_in_place::automatic},
  {"off", reading_in_place::off},
};

constexpr named_choice<compression_mode> compression_choices[] = {
  {"auto", compression_mode::automatic},
  {"on", compression_mode::on},
  {"off", compression_mode::off},
};

/// Reads numbers from a configuration, with their option's name at hand for errors.
class reader {
public:
  explicit reader(const caf::actor_system_config& config) : config_(config) {
    // nop
  }

  void size(std::string_view option, std::uint64_t& target) const {
    if (auto text = caf::get_if<std::string>(&config_, key(option)))
      target = parse_size(option, *text);
    else if (auto value = require_kind<std::int64_t>(option, size_words))
      target = unsigned_or_refuse<std::uint64_t>(option, *value);
  }

  void size(std::string_view option, std::optional<std::uint64_t>& target) const {
    if (!given(option))
      return;
    target = 0;
    size(option, *target);
  }

  template <class T>
  void number(std::string_view option, T& target) const {
    if (auto value = require_kind<std::int64_t>(option, "a whole number"))
      target = unsigned_or_refuse<T>(option, *value);
  }

  void value(std::string_view option, std::string& target) const {
    take(option, "a text", target);
  }

  void value(std::string_view option, std::vector<std::string>& target) const {
    take(option, "a list of texts", target);
  }

  void value(std::string_view option, std::chrono::nanoseconds& target) const {
    take(option, time_words, target);
  }

  /// Those of a node's network are not the node's own, but checked with them.
  void address(std::string_view option) const {
    if (auto text = require_kind<std::string>(option, "ADDRESS:PORT, such as 127.0.0.1:4242"))
      static_cast<void>(parse_endpoint(key(option), *text));
  }

  template <class T, std::size_t Count>
  void choice(std::string_view option, const named_choice<T> (&choices)[Count], T& target) const {
    std::string names;
    for (const auto& each : choices)
      names += fmt::format("{}{}", names.empty() ? "" : " or ", each.name);
    auto text = require_kind<std::string>(option, names);
    if (!text)
      return;
    auto chosen = std::ranges::find(choices, *text, &named_choice<T>::name);
    if (chosen == std::ranges::end(choices))
      refuse(option, fmt::format("\"{}\"", *text), names);
    target = chosen->value;
  }

  void choice(std::string_view option, listening_scope& target) const {
    if (auto known = require_kind<bool>(option, "true or false"))
      target = *known ? listening_scope::any : listening_scope::loopback;
  }

  void choice(std::string_view option, call_site_recording& target) const {
    if (auto known = require_kind<bool>(option, "true or false"))
      target = *known ? call_site_recording::on : call_site_recording::off;
  }

private:
  [[nodiscard]] const caf::config_value* given(std::string_view option) const {
    return caf::get_if(&content(config_), key(option));
  }

  /// Returns the value, if there is one. A configuration takes any type from `set`: what is of
  /// another would otherwise be passed over in silence.
  template <class T>
  [[nodiscard]] caf::optional<T> require_kind(std::string_view option,
                                              std::string_view range) const {
    auto result = caf::get_if<T>(&config_, key(option));
    if (auto* other = given(option); other != nullptr && !result)
      refuse(option, to_string(*other), range);
    return result;
  }

  template <class T>
  void take(std::string_view option, std::string_view range, T& target) const {
    if (auto known = require_kind<T>(option, range))
      target = *std::move(known);
  }

  template <class T>
  [[nodiscard]] static T unsigned_or_refuse(std::string_view option, std::int64_t value) {
    if (value < 0 || static_cast<std::uint64_t>(value) > std::numeric_limits<T>::max())
      refuse(option, fmt::to_string(value),
             fmt::format("from 0 to {}", std::numeric_limits<T>::max()));
    return static_cast<T>(value);
  }

  static std::string key(std::string_view option) {
    return fmt::format("mobula.{}", option);
  }

  const caf::actor_system_config& config_;
};

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
  internal::require_good_values(options);
}

std::chrono::nanoseconds read_stop_limit(const caf::actor_system_config& config) {
  std::chrono::nanoseconds result = std::chrono::seconds{10};
  reader{config}.value("stop-limit", result);
  if (result.count() < 0)
    refuse("stop-limit", show_time(result), "at least 0s");
  return result;
}

node_options read_options(const caf::actor_system_config& config) {
  require_known_keys(config);
  static_cast<void>(read_stop_limit(config));
  node_options options;
  reader from{config};
  from.size("inline-limit", options.inline_limit_bytes);
  from.size("heap-limit", options.heap_limit_bytes);
  from.size("store-size", options.store_size_bytes);
  from.value("arena-dir", options.arena_directory);
  from.size("prefault", options.prefault_bytes);
  from.number("shards", options.shards);
  from.value("spill-dirs", options.spill_directories);
  from.size("spill-limit", options.spill_limit_bytes);
  from.size("spill-file-size", options.spill_file_bytes);
  from.number("spill-threshold", options.spill_threshold_percent);
  from.number("spill-workers", options.spill_workers);
  from.size("credit", options.lent_bytes);
  from.value("full-timeout", options.full_timeout);
  from.value("transit-lease", options.transit_lease);
  from.value("grace-period", options.grace_period);
  from.value("drain", options.drain_timeout);
  from.choice("same-host-reading", reading_choices, options.same_host_reading);
  from.size("piggyback", options.piggyback_bytes);
  from.size("message-limit", options.message_limit_bytes);
  from.choice("compression", compression_choices, options.compression);
  from.choice("record-call-sites", options.call_sites);
  from.number("seed", options.seed);
  from.value("cluster", options.cluster);
  from.value("name", options.name);
  from.choice("insecure", options.listening);
  from.value("advertise", options.advertise);
  from.number("data-port", options.data_port);
  for (std::string_view option : {"listen", "join"})
    from.address(option);
  require_valid(options);
  return options;
}

} // namespace mobula
