#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "memory_options.hpp"
#include "node_client.hpp"

/// What the command shows of reports: text for people, JSON for programs. Keys of the JSON are the
/// names of the reports' fields and of `node_stats`; they are kept. Each names the members that did
/// not answer.

namespace mobula::command {

[[nodiscard]] std::string status_text(const cluster_report& report);
[[nodiscard]] nlohmann::json status_json(const cluster_report& report);

/// What nodes are asked for `memory_text`.
[[nodiscard]] ask_report memory_question(const memory_options& options);
[[nodiscard]] std::string memory_text(const cluster_report& report, const memory_options& options);
[[nodiscard]] nlohmann::json memory_json(const cluster_report& report,
                                         const memory_options& options);

/// An object and its owner; null pointers if no node that was asked owns it.
struct found_object {
  const node_report* owner = nullptr;
  const reported_object* object = nullptr;
};

[[nodiscard]] found_object find_object(const cluster_report& report, const object_id& id);
[[nodiscard]] std::string object_text(const cluster_report& report, const found_object& found);
[[nodiscard]] nlohmann::json object_json(const cluster_report& report, const found_object& found);

} // namespace mobula::command
