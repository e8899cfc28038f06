// Remembers for the puller which data ports cannot be reached, and tells the log.

#include "port_reach.hpp"

#include <variant>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"

namespace mobula {

void port_reach::connected(const incarnation_id& node) {
  reach_effects effects;
  reach_.connected(node, effects);
  log(effects);
}

void port_reach::connect_failed(const incarnation_id& node, connect_failure why) {
  reach_effects effects;
  reach_.connect_failed(node, why, core_.now(), effects);
  log(effects);
}

void port_reach::log(const reach_effects& effects) {
  for (const auto& effect : effects)
    std::visit([](const auto& content) { log(content); }, effect);
}

void port_reach::log(const report_unreachable& effect) {
  log_warning(fmt::format("the data port of node {} cannot be reached: {}; its values come with "
                          "messages, which is slow, until it can; is it behind a firewall, or does "
                          "it name a wrong address?",
                          to_string(effect.node), to_string(effect.why)));
}

void port_reach::log(const report_reachable& effect) {
  log_info(fmt::format("the data port of node {} can be reached again", to_string(effect.node)));
}

} // namespace mobula
