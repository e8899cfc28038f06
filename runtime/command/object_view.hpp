#pragma once

#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "views.hpp"

/// One object, as the command shows it by itself and as a row among others.

namespace mobula::command {

[[nodiscard]] object_id id_of(const found_object& found);

/// Objects of any node whose values refer to an object, as far as they are named.
class container_index {
public:
  explicit container_index(const cluster_report& report);

  /// Returns each once: several nodes may have the value of one container.
  [[nodiscard]] std::set<object_id> of(const object_id& id) const;

private:
  void add(const object_id& id, const reported_nesting& nested);

  std::map<object_id, std::set<object_id>> containers_;
};

[[nodiscard]] nlohmann::json object_json(const found_object& found,
                                         const container_index& containers);

} // namespace mobula::command
