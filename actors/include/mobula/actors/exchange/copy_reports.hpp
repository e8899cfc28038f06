#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// What owners are to be told of this node's copies of their values: many copies end at the same
/// time, so that it is sent when the events that wait have had their turn.
///
/// | field    | raised by | lowered by             |
/// |----------|-----------|------------------------|
/// | reports_ | `add`     | `send`, `session_ended`|
class copy_reports {
public:
  /// REQUIRES: both outlive this.
  copy_reports(node_core& core, exchange_peers& peers) : core_(core), peers_(peers) {
    // nop
  }

  copy_reports(const copy_reports&) = delete;
  copy_reports& operator=(const copy_reports&) = delete;

  /// Ignored unless there is a session with the owner. The first sends `reports_due` to the cluster
  /// actor, which calls `send` then.
  void add(const object_id& object, copy_ticket ticket, copy_news news);

  void send();

  /// The owner has forgotten this node's copies as well.
  void session_ended(const incarnation_id& owner);

  /// Copies that are to be reported.
  [[nodiscard]] std::size_t size() const;

private:
  node_core& core_;
  exchange_peers& peers_;
  std::map<incarnation_id, std::vector<copy_report>> reports_; ///< by owner
};

} // namespace mobula
