// Turns the options of the network into what CAF must know before its own network starts, and
// refuses heartbeats that could not work.

#include "mobula/runtime/cluster_options.hpp"

#include <algorithm>
#include <chrono>

#include <caf/io/middleman.hpp>
#include <caf/thread_hook.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_options.hpp"
#include "mobula/actors/caf/node_identity.hpp"
#include "mobula/runtime/endpoint_option.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/option_reading.hpp"
#include "mobula/runtime/option_words.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula::internal {

namespace {

using namespace std::chrono_literals;

[[noreturn]] void refuse(std::string message) {
  throw object_error{{.type = error_type::invalid_argument, .message = std::move(message)}};
}

caf::timespan read_span(const caf::actor_system_config& config, std::string_view option,
                        caf::timespan otherwise) {
  auto name = fmt::format("mobula.{}", option);
  if (auto span = caf::get_if<caf::timespan>(&config, name))
    return *span;
  if (const auto* other = caf::get_if(&content(config), name))
    refuse(fmt::format("option {} is {}, but must be {}", name, to_string(*other), time_words));
  return otherwise;
}

/// Returns whether a configuration differs from defaults that CAF has been told.
bool says_anything(const caf::actor_system_config& config) {
  constexpr std::string_view options[] = {"heartbeat-interval", "heartbeat-timeout", "listen",
                                          "join"};
  return caf::get_if(&content(config), caf_options::connection_timeout) == nullptr
         || std::ranges::any_of(options, [&](std::string_view option) {
              return caf::get_if(&content(config), fmt::format("mobula.{}", option)) != nullptr;
            });
}

/// Gives the system an id, and prepares what was set after the command line was read, or without
/// one. What is wrong with it is told by the first node: systems have no way to say so.
class network_preparation : public caf::thread_hook {
public:
  void init(caf::actor_system& system) override {
    // The system's own, which it reads after this.
    auto& config = const_cast<caf::actor_system_config&>(system.config());
    plant_node_identity(config);
    try {
      if (says_anything(config))
        prepare_network(config);
    } catch (const object_error&) {
      // nop
    }
  }

  void thread_started() override {
    // nop
  }

  void thread_terminates() override {
    // nop
  }
};

} // namespace

heartbeat_times read_heartbeat_times(const caf::actor_system_config& config) {
  heartbeat_times result{read_span(config, "heartbeat-interval", 1s),
                         read_span(config, "heartbeat-timeout", 10s)};
  if (result.interval < 1ms)
    refuse(fmt::format("option mobula.heartbeat-interval is {}, but must be at least 1ms; 1s suits "
                       "most networks",
                       show_time(result.interval)));
  // One that is late must not look like one that is missing.
  if (result.timeout / 2 < result.interval)
    refuse(fmt::format("option mobula.heartbeat-timeout is {}, but must be at least twice "
                       "mobula.heartbeat-interval, which is {}; raise the one or lower the other",
                       show_time(result.timeout), show_time(result.interval)));
  return result;
}

void prepare_network(caf::actor_system_config& config) {
  auto times = read_heartbeat_times(config);
  // CAF adds what it is given to the time, and has no word for "never".
  constexpr caf::timespan longest = std::chrono::hours{24} * 365 * 100;
  config.set(caf_options::heartbeat_interval, std::min(times.interval, longest));
  config.set(caf_options::connection_timeout, std::min(times.timeout, longest));
  auto clustered = false;
  for (const std::string option : {"mobula.listen", "mobula.join"})
    if (auto text = caf::get_if<std::string>(&config, option)) {
      static_cast<void>(parse_endpoint(option, *text));
      clustered = true;
    }
  if (!clustered)
    return;
  require_valid_times(node_options_of(config), times.timeout);
  config.load<caf::io::middleman>();
}

void prepare_network_at_start(caf::actor_system_config& config) {
  config.add_thread_hook<network_preparation>();
}

} // namespace mobula::internal
