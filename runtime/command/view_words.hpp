#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "node_client.hpp"

/// The words and numbers that all views of reports have in common.

namespace mobula::command {

/// Returns `312 B` or `1.5 MiB`.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// Returns `40 s`, `3 min`, `5 h` or `2 d`, never more than has passed.
[[nodiscard]] std::string seconds_text(std::uint64_t seconds);

/// What people call the node.
[[nodiscard]] std::string name_of(const node_report& node);

/// The same by its incarnation, which stands for a node that did not report.
[[nodiscard]] std::string name_of(const cluster_report& report, const incarnation_id& id);

/// The other holders of the object, and how often they hold it: nodes, and lost ones with the time
/// they have left.
[[nodiscard]] std::string holders_text(const cluster_report& report, const reported_object& object);

/// Where the value is, and why it is still there or is not.
[[nodiscard]] std::string state_text(const reported_object& object);

/// When the value was last read, as far as that is known: `never`, `> 5 min ago`, `lately` (since
/// the last report) or nothing.
[[nodiscard]] std::string use_text(const reported_object& object);

/// Null for an object whose node does not record it.
[[nodiscard]] const reported_site* site_of(const node_report& owner, const reported_object& object);

/// Returns `file:line`; nothing for null.
[[nodiscard]] std::string site_text(const reported_site* site);

/// A line for each member that did not answer, and why.
[[nodiscard]] std::string silent_text(const cluster_report& report);

/// The same for programs.
[[nodiscard]] nlohmann::json silent_json(const cluster_report& report);

} // namespace mobula::command
