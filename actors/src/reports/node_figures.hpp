#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "mobula/actors/reports/node_stats.hpp"

namespace mobula {

enum class figure_kind : std::uint8_t {
  holding, ///< zero when everything is released
  other
};

/// One of a node's figures: what it is called, by programs and by people, and where it is.
struct node_figure {
  std::string_view name;
  std::string_view label;
  figure_kind kind;
  std::variant<std::uint64_t node_stats::*, object_count node_stats::*> where;
};

/// Returns all of them but for times, in the order in which they are shown.
[[nodiscard]] std::span<const node_figure> node_figures() noexcept;

} // namespace mobula
