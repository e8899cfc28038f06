#include "mobula/runtime/cluster_options.hpp"

#include <chrono>

#include <caf/io/middleman.hpp>
#include <fmt/format.h>

#include "mobula/cluster.hpp"

namespace mobula {

namespace {

using namespace std::chrono_literals;

caf::timespan read_span(const caf::actor_system_config& config, std::string_view option,
                        caf::timespan otherwise) {
  auto given = caf::get_if<caf::timespan>(&config, fmt::format("mobula.{}", option));
  return given ? *given : otherwise;
}

void require_heartbeat(caf::timespan interval, caf::timespan timeout) {
  auto in_ms = [](caf::timespan span) {
    return span / 1ms;
  };
  if (interval < 1ms)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = fmt::format("option mobula.heartbeat-interval is {} ns, but "
                                               "must be at least 1ms",
                                               interval.count())}};
  // One that is late must not look like one that is missing.
  if (timeout < 2 * interval)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = fmt::format("option mobula.heartbeat-timeout is {}ms, but must "
                                               "be at least twice mobula.heartbeat-interval, "
                                               "which is {}ms",
                                               in_ms(timeout), in_ms(interval))}};
}

} // namespace

void prepare_network(caf::actor_system_config& config) {
  auto interval = read_span(config, "heartbeat-interval", 1s);
  auto timeout = read_span(config, "heartbeat-timeout", 10s);
  require_heartbeat(interval, timeout);
  config.set("middleman.heartbeat-interval", interval);
  config.set("middleman.connection-timeout", timeout);
  auto clustered = false;
  for (std::string_view option : {"listen", "join"})
    if (auto text = caf::get_if<std::string>(&config, fmt::format("mobula.{}", option))) {
      static_cast<void>(parse_endpoint(option, *text));
      clustered = true;
    }
  if (clustered)
    config.load<caf::io::middleman>();
}

} // namespace mobula
