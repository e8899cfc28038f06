#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/membership/dial_worker.hpp"
#include "mobula/actors/protocol/membership/member_table.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/wire/cluster_messages.hpp"

namespace mobula {

/// A member as the rest of the node sees it.
struct member_info {
  node_record record;
  session_id session = session_id::none;
  caf::node_id process; ///< CAF's name of its actor system, to look up actors there
};

/// Hears who comes and goes. Called by the actor that owns the membership, within its events.
class member_listener {
public:
  virtual ~member_listener() = default;

  /// From now on messages of this session may come from `peer`, and may be sent to it.
  virtual void member_joined(const node_record& record, session_id session,
                             const caf::strong_actor_ptr& peer) = 0;

  /// No message of this session comes any more; what is sent to it is lost.
  virtual void member_left(const incarnation_id& incarnation, session_id session,
                           departure why) = 0;

  /// Other members are connected to a node that this one cannot connect to; for a log.
  virtual void member_unreachable(const std::string& text) = 0;

  /// A node was turned away; for a log.
  virtual void node_refused(const std::string& text) = 0;

  /// What another node said changed nothing, and why; for a log.
  virtual void message_ignored(const std::string& text) = 0;
};

// -- messages within a node -----------------------------------------------------------------------

/// The node listens: the membership may begin. Whatever came earlier is looked at now.
struct begin_membership {
  node_record self;
  member_config config; ///< speaks what the membership was attached with
  std::uint32_t max_message_bytes = default_message_bytes; ///< over connections that it dials
};

/// Why a node could not join.
struct join_failure {
  dial_failure kind;
  std::string text;
};

struct join_through {
  endpoint target;
  /// Set to nothing when the node has joined.
  std::shared_ptr<std::promise<std::optional<join_failure>>> answer;
};

struct list_members {
  std::shared_ptr<std::promise<std::vector<member_info>>> answer;
};

/// The part of an actor that speaks for a node among its cluster: feeds a member table with what
/// comes from other nodes, and carries out its effects.
///
/// A part and not an actor of its own, because the order between membership and everything else
/// that nodes tell each other matters: CAF keeps the order of messages only between two actors.
/// With one actor on each side a session's messages come after `member_joined` and before
/// `member_left`.
///
/// *Links* are handles on other nodes' actors. CAF makes a new one for each connection's life, so
/// one that is lost is never found again. They are told apart by where they are in memory, not by
/// what they compare as: the handles of two connections to one actor compare equal.
class membership {
public:
  membership() = default;

  membership(const membership&) = delete;
  membership& operator=(const membership&) = delete;

  /// REQUIRES: called once, before anything else; `self` and `listener` outlive the membership.
  void attach(caf::scheduled_actor* self, dialect speaks, member_listener& listener);

  // -- messages -----------------------------------------------------------------------------------

  void begin(const begin_membership& message);

  void join(const join_through& message);

  void list(const list_members& message) const;

  void dial_connected(const mobula::dial_connected& message);

  void dial_done(const dial_ended& message);

  void received(const hello_envelope& message);

  /// Any other message from another node.
  void received(const member_message& message);

  /// Something that the owner monitors is down, as somebody says: a link that has ended, or else
  /// nothing happens.
  void down(const caf::down_msg& message);

  /// Tells all members and forgets them. The owner may quit then.
  void leave();

  // -- properties ---------------------------------------------------------------------------------

  /// Adds what people should know of the node and its members.
  void describe(node_report& report) const;

  /// Timers that run.
  [[nodiscard]] std::size_t timers() const noexcept {
    return timers_.size();
  }

  /// Returns nothing before `begin`.
  [[nodiscard]] const member_table* table() const noexcept {
    return table_ ? &*table_ : nullptr;
  }

  /// Returns who sent the current message, and its session; null if that is no member.
  [[nodiscard]] const member_table::member* sender() const;

  /// Returns the handle on a member's actor; null without a session.
  [[nodiscard]] caf::strong_actor_ptr peer(const incarnation_id& incarnation) const;

private:
  void handle_from(const caf::strong_actor_ptr& sender, const member_message& message);
  void dialed(const dial_ended& message, const caf::strong_actor_ptr& peer,
              member_effects& effects);
  link_id link_to(const caf::strong_actor_ptr& peer);
  void run(member_effects effects);
  void apply(const dial& effect);
  void apply(const send_on_link& effect);
  void apply(const forget_link& effect);
  void apply(const drop_link& effect);
  void apply(const start_timer& effect);
  void apply(const stop_timer& effect);
  void apply(const report_member_joined& effect);
  void apply(const report_member_left& effect);
  void apply(const report_join_succeeded& effect);
  void apply(const report_join_failed& effect);
  void apply(const report_member_unreachable& effect);
  void apply(const report_refused& effect);
  void apply(const report_ignored& effect);
  void answer(join_id join, std::optional<join_failure> outcome);
  [[nodiscard]] caf::strong_actor_ptr myself() const;

  caf::scheduled_actor* self_ = nullptr;
  actor_timers timers_;
  std::unordered_map<timer_id, deadline> awaited_; ///< those of the table that run
  member_listener* listener_ = nullptr;
  dialect speaks_;
  std::optional<member_table> table_;
  std::uint32_t max_message_bytes_ = default_message_bytes;
  std::vector<std::pair<caf::strong_actor_ptr, member_message>> early_; ///< at most `max_early`
  /// Raised by messages and dials; lowered by `forget_link` and by CAF's news of a loss.
  std::unordered_map<link_id, caf::strong_actor_ptr> peers_;
  std::unordered_map<const caf::actor_control_block*, link_id> links_; ///< the same, reversed
  std::unordered_map<link_id, connection_grip> grips_; ///< of the links that were dialed
  std::unordered_map<join_id, std::shared_ptr<std::promise<std::optional<join_failure>>>> joins_;
  std::uint64_t last_link_ = 0;
  std::uint64_t last_join_ = 0;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::begin_membership)
MOBULA_LOCAL_MESSAGE(mobula::join_through)
MOBULA_LOCAL_MESSAGE(mobula::list_members)
