#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/membership/peer_directory.hpp"
#include "mobula/actors/protocol/names/name_searches.hpp"
#include "mobula/actors/protocol/references/reference_messages.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/wire/name_messages.hpp"

namespace mobula {

class node_core;

/// The part of an actor that keeps a cluster's names: feeds the name table with what comes from
/// this node and from others, carries out its effects, and keeps what this node's names stand for.
///
/// *The idea.* All nodes are told which names there are, but only the publisher keeps what one
/// stands for, and each lookup asks it. So a published reference is held once, by the publisher,
/// for as long as it is published; whoever looks it up gets a borrowed reference of its own, made
/// by the protocol that makes all of them. To hold one at every member would keep transits and
/// borrows for nodes that never ask.
///
/// A part and not an actor of its own, because names are told within sessions, and CAF keeps the
/// order of messages only between two actors.
///
/// | field     | raised by                  | lowered by                                          |
/// |-----------|----------------------------|-----------------------------------------------------|
/// | contents_ | `publish`                  | `unpublish`, `report_name_taken`, `stop`            |
/// | peers_    | `session_opened`           | `session_closed`, the next session, `stop`          |
/// | requests_, searches_ | `lookup`        | its answer, its timer, `stop`                       |
///
/// *Bounds*: contents by the table's limit of names, peers by the cluster's nodes, searches by
/// `max_searches`.
class name_service {
public:
  static constexpr std::size_t max_searches = 65'536;

  name_service() = default;

  name_service(const name_service&) = delete;
  name_service& operator=(const name_service&) = delete;

  /// REQUIRES: called once, before anything else; both outlive the service.
  void attach(caf::scheduled_actor* self, node_core& core);

  // -- events -------------------------------------------------------------------------------------

  /// Comes before all messages of the session, and ends an older one with that node.
  void session_opened(const peer_session& peer, caf::strong_actor_ptr handle);

  /// Ignored if it is not the current session.
  void session_closed(const peer_session& peer);

  void publish(const publish_name& message);

  void unpublish(const unpublish_name& message);

  void lookup(const lookup_name& message);

  /// A message of the sender of the current message.
  void received(const names_changed& message);
  void received(const find_name& message);
  void received(name_found& message);

  /// This node is in no cluster any more: forgets all names, and fails lookups that wait. May be
  /// called twice.
  void stop();

  // -- properties ---------------------------------------------------------------------------------

  /// Lookups without an answer yet.
  [[nodiscard]] std::size_t searches() const noexcept {
    return requests_.size();
  }

  /// Those that wait for no longer than a limit, their own or an answer's.
  [[nodiscard]] std::size_t timers() const noexcept {
    return timers_.size();
  }

  /// Adds the names that stand for the objects.
  void describe(object_listing& listing) const;

  void check_invariants() const;

private:
  /// What a name of this node stands for.
  struct named_thing {
    caf::message content;
    object_id object; ///< empty if it is none
  };

  struct peer {
    session_id session;
    caf::strong_actor_ptr handle;
  };

  struct search {
    lookup_name request;
    /// None without a limit; that of an answer, if the limit is no time and somebody is asked.
    deadline timer;
    incarnation_id last_asked{};     ///< who was asked last, and
    publish_number last_asked_for{}; ///< for which publication
  };

  /// Returns who sent the current message in its current session; null if that is nobody.
  [[nodiscard]] const incarnation_id* sender(session_id session) const;

  template <class Message>
  void send(const incarnation_id& to, Message message);

  void run(name_effects effects);
  void apply(tell_names& effect);
  void apply(const report_name_taken& effect);
  void apply(const report_name_ignored& effect);

  /// Returns whether somebody may be asked who was not asked already, and had nothing.
  [[nodiscard]] bool has_prospects(search_number number) const;
  void look_further();

  /// Asks on behalf of all searches that wait for the name.
  void search_on(const std::string& name);

  /// The same for one of them, which may be over then.
  void search_on(search_number number);

  lookup_name end_search(search_number number);
  void expired(search_number number);

  void forget_peer(const incarnation_id& node);

  caf::scheduled_actor* self_ = nullptr;
  node_core* core_ = nullptr;
  std::optional<name_table> table_; ///< nothing before `attach` and after `stop`
  std::map<std::string, named_thing, std::less<>> contents_;
  peer_directory<incarnation_id, peer> peers_;
  std::unordered_map<search_number, search> requests_;
  name_searches searches_; ///< the same
  /// Searches that wait for another publisher than the one who had nothing for them. Raised by its
  /// answer; lowered by the next question, and by the end of the search.
  std::set<search_number> disappointed_;
  actor_timers timers_;
  std::uint64_t last_search_ = 0;
};

} // namespace mobula
