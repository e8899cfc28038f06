#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/exchange/value_server.hpp"
#include "mobula/actors/protocol/references/export_table.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// An owner's side of values that others may name: who is told of them, who has copies of them, and
/// what others say of them. Belongs to the cluster actor; the borrower's side is `borrowed_values`.
///
/// What others ask and report stands on its own, and not in the order in which the tables speak: an
/// owner looks whether the asker holds the object when a question comes, and a report names the
/// copy that it is about.
class lent_values {
public:
  /// REQUIRES: all outlive this.
  lent_values(node_core& core, exchange_peers& peers, const export_table& exports);

  lent_values(const lent_values&) = delete;
  lent_values& operator=(const lent_values&) = delete;

  // -- what happened on this node -----------------------------------------------------------------

  /// What was sent for former events does not count any more.
  void begin_event() noexcept {
    server_.begin_event();
  }

  /// These objects are there, and others wait for them.
  void ready(std::span<const std::uint64_t> sequences);

  /// The values of these objects were freed: those who borrow them are told.
  void freed(std::span<const std::uint64_t> sequences);

  /// Sends what the replies so far have come to.
  void send_answers();

  /// Nobody waits for an answer any more.
  void stop() {
    server_.stop();
  }

  // -- sessions -----------------------------------------------------------------------------------

  void session_opened(const incarnation_id& node, const std::string& boot_id) {
    copies_.node_joined(node, boot_id);
  }

  void session_ended(const incarnation_id& node) {
    server_.session_ended(node);
    copies_.node_left(node);
  }

  // -- messages -----------------------------------------------------------------------------------

  void received(const incarnation_id& from, const request_objects& message);
  void received(const incarnation_id& from, const report_copies& message);
  void received(const incarnation_id& from, const free_objects& message);
  void received(const objects_unpinned& message);

  /// Values that travel with references may reach a reader after they were freed: tells a node that
  /// begins to borrow such an object. Ignored if the object is not there any more.
  void tell_of_failure(std::uint64_t sequence, const peer_session& reader);

  /// Returns whether the node may wait for the object or have a copy of it.
  [[nodiscard]] bool is_known_to(const incarnation_id& node, std::uint64_t sequence) const;

  /// The node does not hold the object any more.
  void returned(const incarnation_id& node, std::uint64_t sequence);

  // -- properties ---------------------------------------------------------------------------------

  /// Returns whether somebody waits for the object, which is kept for that.
  [[nodiscard]] bool awaited(std::uint64_t sequence) const {
    return server_.awaited(sequence);
  }

  /// Objects that others wait for.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return server_.waiting();
  }

  /// Copies on other nodes.
  [[nodiscard]] std::size_t copies() const {
    return copies_.copies();
  }

  void check_invariants() const {
    copies_.check_invariants();
  }

private:
  void notify_borrowers(std::uint64_t sequence);

  node_core& core_;
  exchange_peers& peers_;
  const export_table& exports_;
  copy_directory copies_;
  value_server server_;
};

} // namespace mobula
