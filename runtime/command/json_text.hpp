#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace mobula::command {

/// Returns JSON as the command writes it. Names in it come from programs, hosts and file systems,
/// which do not all write UTF-8, as JSON has it: other bytes are replaced by U+FFFD.
inline std::string json_text(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

} // namespace mobula::command
