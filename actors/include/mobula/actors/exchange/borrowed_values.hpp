#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mobula/actors/exchange/copy_reports.hpp"
#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/exchange/value_keeper.hpp"
#include "mobula/actors/exchange/value_pulls.hpp"
#include "mobula/actors/exchange/value_requests.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"
#include "mobula/actors/protocol/references/borrow_table.hpp"
#include "mobula/actors/protocol/references/reference_effects.hpp"
#include "mobula/actors/wire/peer_messages.hpp"

namespace mobula {

struct copy_evicted;
struct pull_ended;

/// A borrower's side of reading: asks owners for the values that readers here wait for, applies
/// their replies, has values pulled, and says what became of the copies. Belongs to the cluster
/// actor; the owner's side is `value_server`.
class borrowed_values {
public:
  /// REQUIRES: all outlive this.
  borrowed_values(node_core& core, exchange_peers& peers, const borrow_table& borrows,
                  value_keeper& keeper);

  borrowed_values(const borrowed_values&) = delete;
  borrowed_values& operator=(const borrowed_values&) = delete;

  // -- what happened on this node -----------------------------------------------------------------

  /// The tables were told that these entries were dropped. Takes the tokens of those whose copy may
  /// still be written; the others go with the list.
  void let_go(std::vector<release_token>& tokens);

  /// The values of these objects were freed here.
  void freed(std::span<const object_id> objects);

  /// Readers wait for these objects. After what the tables say of the same turn, so that owners
  /// know that the objects are held.
  void requested(std::span<const object_id> objects);

  /// Those of them that have got a higher priority.
  void raised(std::span<const object_id> objects) {
    pulls_.raise_priorities(objects);
  }

  /// The object in its owner's arena is not pinned here any more, and its owner waits for that.
  void unpinned(const object_id& object);

  /// The bytes of a borrowed object are here, or will not come.
  void pull_ended(const mobula::pull_ended& end);

  /// The bytes of a borrowed object made space for others.
  void copy_evicted(const mobula::copy_evicted& news);

  /// Tells owners what became of copies.
  void send_reports() {
    reports_.send();
  }

  // -- what became of an owner --------------------------------------------------------------------

  void session_opened() {
    requests_.send();
  }

  void session_ended(const incarnation_id& owner) {
    reports_.session_ended(owner);
  }

  void owner_unreachable(const incarnation_id& owner) {
    requests_.owner_unreachable(owner);
  }

  /// Nobody can be asked for the entry any more: who waits for its value gets an error, unless it
  /// stays here.
  void fail(object_entry& entry, reference_failure reason);

  /// The replies of an owner.
  void replied(const incarnation_id& owner, object_replies& message);

  // -- properties ---------------------------------------------------------------------------------

  /// What others are still to be asked for or told.
  [[nodiscard]] std::size_t waiting() const {
    return requests_.size() + reports_.size();
  }

private:
  void take(const incarnation_id& owner, object_reply& reply, metadata_reader& reader);
  void stop_if_freed(const object_entry& entry);
  [[nodiscard]] static copy_news news_of(const object_entry& entry);

  node_core& core_;
  exchange_peers& peers_;
  const borrow_table& borrows_;
  value_keeper& keeper_;
  value_requests requests_;
  value_pulls pulls_;
  copy_reports reports_;
};

} // namespace mobula
