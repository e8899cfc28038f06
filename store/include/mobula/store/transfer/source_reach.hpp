#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "mobula/serialization/ids.hpp"

namespace mobula {

/// Why a data port cannot be reached.
enum class connect_failure : std::uint8_t {
  refused,     ///< nobody listens there, or a firewall says no
  no_route,    ///< the network knows no way there
  silent,      ///< no answer at all: a firewall drops what is sent there
  another_node ///< somebody else listens there
};

[[nodiscard]] std::string_view to_string(connect_failure why) noexcept;

struct reach_config {
  /// Connections in a row that have to fail: one may fail for a passing reason.
  std::size_t failures_needed = 2;
  /// For how long a node is not asked. Short for what is found out at once and may pass; longer for
  /// what each try pays for with seconds. Doubles with each further try in vain.
  std::uint64_t refused_ms = 5'000;
  std::uint64_t no_route_ms = 15'000;
  std::uint64_t silent_ms = 60'000;
  std::uint64_t another_node_ms = 60'000;
  std::uint64_t longest_ms = 600'000;
};

// -- effects --------------------------------------------------------------------

/// The node is not to be asked from now on: what is asked of it has to come another way. Said once
/// until `report_reachable`, or until the node is forgotten, although it is tried in between.
struct report_unreachable {
  incarnation_id node;
  connect_failure why;
};

/// Ends what `report_unreachable` began.
struct report_reachable {
  incarnation_id node;
};

using reach_effect = std::variant<report_unreachable, report_reachable>;

using reach_effects = std::vector<reach_effect>;

/// Remembers which nodes' data ports cannot be reached, so that this is found out once for a node
/// and not anew for each object: a firewall that drops packets costs seconds each time.
///
/// A node whose connections failed a few times in a row is left alone for a while. Then it is tried
/// again, by whoever asks next; one more failure is enough, and the while is twice as long. So no
/// timer is needed: the caller says what time it is when it asks.
///
/// | field           | raised by                        | lowered by                            |
/// |-----------------|----------------------------------|---------------------------------------|
/// | nodes_          | `connect_failed`                 | `connected`, `forget`                 |
/// | node::failures  | `connect_failed`                 | with the node                         |
/// | node::rest_ends | `connect_failed`               | time, and with the node               |
///
/// *Bounds*: by the nodes that others are told of; the caller forgets one with its session.
class source_reach {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit source_reach(const reach_config& config = {}) : config_(config) {
    // nop
  }

  source_reach(const source_reach&) = delete;
  source_reach& operator=(const source_reach&) = delete;

  // -- events ---------------------------------------------------------------------

  void connected(const incarnation_id& node, reach_effects& effects);

  void connect_failed(const incarnation_id& node, connect_failure why, time_point now,
                      reach_effects& effects);

  /// The node has gone, or may be somewhere else now.
  void forget(const incarnation_id& node);

  // -- properties -----------------------------------------------------------------

  /// Returns why the node is not to be asked; nothing if it may be.
  [[nodiscard]] std::optional<connect_failure> obstacle(const incarnation_id& node,
                                                        time_point now) const;

  /// Returns how many nodes could not be reached when it was last tried.
  [[nodiscard]] std::size_t unreachable() const noexcept {
    return unreachable_;
  }

private:
  struct node {
    std::size_t failures = 0; ///< in a row
    bool told = false;        ///< `report_unreachable` was said
    std::size_t rests = 0;    ///< times that it was left alone
    connect_failure why{};
    time_point rest_ends{}; ///< until then it is left alone
  };

  [[nodiscard]] std::chrono::milliseconds rest_of(const node& known) const noexcept;

  reach_config config_;
  std::unordered_map<incarnation_id, node> nodes_;
  std::size_t unreachable_ = 0; ///< whose `told` is raised
};

} // namespace mobula
