#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"

namespace mobula {

/// Where the thread that asked for a node's figures finds them. Thread-safe.
class stats_answer {
public:
  /// Called once.
  void set(const node_stats& stats);

  [[nodiscard]] bool is_set() const;

  /// Returns no figures as long as it is not set.
  [[nodiscard]] node_stats get() const;

private:
  mutable std::mutex mutex_;
  node_stats stats_;
  bool set_ = false;
};

/// Figures under way: each service adds its own. `on_complete` is called when the last copy of the
/// message is gone, be it because the last service is through with it or because one has stopped.
class stats_request {
public:
  using completion = std::function<void(stats_request&)>;

  /// `on_complete` is called once, by any thread, and must not throw.
  explicit stats_request(completion on_complete) : on_complete_(std::move(on_complete)) {
    // nop
  }

  stats_request(const stats_request&) = delete;
  stats_request& operator=(const stats_request&) = delete;

  ~stats_request() {
    on_complete_(*this);
  }

  node_stats stats;

  /// The node's objects, if they are asked for.
  std::optional<object_listing> objects;

private:
  completion on_complete_;
};

/// Asks a service to add its figures and to pass the request on. It travels the way that reference
/// changes take, so that the figures include everything that the asking thread did before.
struct collect_stats {
  std::shared_ptr<stats_request> request;
};

/// Asks a service to recompute the sums of its tables and to abort the process if one is wrong. For
/// tests; sent to each service.
struct check_tables {};

MOBULA_MESSAGE(mobula::check_tables)

/// Asks a service to finish what it has and to stop; passed on like `collect_stats`.
struct shut_down {};

MOBULA_MESSAGE(mobula::shut_down)

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::collect_stats)
