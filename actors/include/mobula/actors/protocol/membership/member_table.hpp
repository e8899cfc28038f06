#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/membership/member_effects.hpp"

namespace mobula {

struct member_config {
  dialect speaks;
  /// Members and nodes that may become members. A further one takes the place of a node that is
  /// lost and that nobody vouches for; if there is none, it is refused.
  std::size_t max_members = 512;
  /// Requests to join that may be open at once; more fail.
  std::size_t max_joins = 64;
  std::size_t max_dials = 8; ///< under way at once
  /// Rounds over a node's addresses before a join fails, or a lost node is given up.
  std::uint32_t max_join_rounds = 8;
  std::uint32_t max_lost_rounds = 12;
  /// Rounds of a join in which somebody was there and said nothing: the second is over a connection
  /// that is new.
  std::uint32_t max_silent_rounds = 2;
  std::chrono::nanoseconds first_delay = std::chrono::milliseconds{50};
  std::chrono::nanoseconds longest_delay = std::chrono::seconds{30}; ///< delays double up to this
  /// By how much the larger incarnation of a pair dials later than the smaller one.
  std::chrono::nanoseconds deference = std::chrono::seconds{1};
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds{5};
  /// How long each of several addresses is dialed in the first round; doubles with each further
  /// one, up to the handshake's. So one that swallows what is sent to it holds the others up for a
  /// moment.
  std::chrono::nanoseconds first_dial_limit = std::chrono::seconds{1};
  /// Rounds in vain after which a node that others are connected to is reported: long enough that
  /// these would have noticed its death.
  std::uint32_t unreachable_rounds = 6;
};

/// Knows who belongs to the cluster, as seen by one node. No CAF, no clock, no I/O.
///
/// *The idea.* Every member has a session with every other. A node joins by dialing any member;
/// whoever begins a session tells its other members of the new one, and the new one of them, so
/// two nodes that share a member always hear of each other. Then the one with the smaller
/// incarnation dials, and after some time the larger one too: the smaller may not have heard yet.
/// No leader and no agreed list: a list of all would have to be agreed upon just when nodes cannot
/// talk to each other, and nothing here needs one.
///
/// *One session for each pair*, whoever dialed, however often. The side that is dialed decides: it
/// welcomes, or answers that there is a session. When hellos cross, that of the smaller incarnation
/// counts. A side that does not know of a session that the other believes in ends it by saying
/// hello again.
///
/// *Who is dialed, and for how long.* A node without a session is dialed as long as some member
/// vouches for it (is connected to it), and after its loss for `max_lost_rounds`; then it is
/// forgotten; before that if another node needs its place. So a cut between two nodes heals by
/// itself whenever a third sees both, and a dead node is forgotten by all. Two halves of a cluster
/// that were apart for longer than all rounds need a join.
///
/// *Addresses.* A node tells all that it may have. Each round tries them in the order told, but
/// first the one at which the node was last reached from here.
///
/// *Cost.* A node that comes or goes costs each member one message to each other member.
///
/// *Invariants.* A member has a session or is being contacted, never both; each session has one
/// link, and each link at most one session; who vouches has a session.
///
/// *Trust.* What cannot be (see `member_checks.hpp`), and a welcome that answers no hello, changes
/// nothing and is reported; a handshake that is under way on its link fails.
///
/// Events append to the caller's buffer.
class member_table {
public:
  member_table(node_record self, member_config config);

  member_table(const member_table&) = delete;
  member_table& operator=(const member_table&) = delete;

  // -- the node -----------------------------------------------------------------------------------

  /// Joins through the member at `target`. Ends in `report_join_succeeded`, at once if the node is
  /// connected to that member already, or in `report_join_failed`. REQUIRES: `join` is not in use.
  void join(join_id join, const endpoint& target, member_effects& effects);

  /// Leaves for good: tells all, waits for nobody, refuses whatever comes later.
  void leave(member_effects& effects);

  // -- dials: each ends in one of these -----------------------------------------------------------

  /// A node answers at the dialed endpoint. REQUIRES: the link is no loop.
  void dialed(dial_id number, link_id link, member_effects& effects);

  /// The dial reached this node itself.
  void dialed_oneself(dial_id number, member_effects& effects);

  /// `text` says what happened, and to which address.
  void dial_failed(dial_id number, dial_failure kind, const std::string& text,
                   member_effects& effects);

  // -- links --------------------------------------------------------------------------------------

  /// A message came over a link, which may be new.
  void received(link_id link, const member_message& message, member_effects& effects);

  /// No message will come over this link any more.
  void link_lost(link_id link, departure why, member_effects& effects);

  void timer_fired(timer_id timer, member_effects& effects);

  // -- properties ---------------------------------------------------------------------------------

  struct member {
    node_record record; ///< without a session: only `incarnation` and `control`
    /// Raised by a handshake; lowered by the link's loss, a leave, or a hello that ends it.
    session_id session = session_id::none;
    link_id link{}; ///< meaningless without a session
    /// Raised by `members_changed::connected` and `welcome::members`; lowered by
    /// `members_changed::disconnected` and by the end of the voucher's session.
    std::vector<incarnation_id> vouchers;
    /// Raised by the loss of a session; lowered by each round of dials in vain.
    std::uint32_t rounds_left = 0;
    /// Where a dial of this node reached it last; nothing if it has only dialed itself.
    std::optional<endpoint> reached;
    /// Why there is no session although others have one; empty if that is not known to be so.
    /// Raised by rounds in vain; lowered by a session.
    std::string obstacle;
  };

  [[nodiscard]] const node_record& self() const noexcept {
    return self_;
  }

  /// Returns nothing for a node that is no member, or that has no session now.
  [[nodiscard]] const member* find_connected(const incarnation_id& incarnation) const;

  /// Returns the member whose session uses the link; null if there is none.
  [[nodiscard]] const member* find_link(link_id link) const;

  /// Returns all members with a session, ordered by incarnation.
  [[nodiscard]] std::vector<const member*> connected() const;

  /// Returns all nodes that others are connected to and this one cannot be, ordered by incarnation.
  [[nodiscard]] std::vector<const member*> unreachable() const;

  /// Returns whether this node or one of its members has a session with that node.
  [[nodiscard]] bool is_vouched_for(const incarnation_id& incarnation) const;

  /// Nodes that are known, with and without a session.
  [[nodiscard]] std::size_t known() const noexcept {
    return members_.size();
  }

  /// Joins and nodes that are being contacted.
  [[nodiscard]] std::size_t contacts() const noexcept {
    return contacts_.size();
  }

  [[nodiscard]] bool has_left() const noexcept {
    return left_;
  }

  /// Asserts the invariants. O(n²).
  void check_invariants() const;

private:
  enum class contact_id : std::uint64_t {};

  enum class phase : std::uint8_t {
    waiting,  ///< for a timer
    queued,   ///< for a dial to end
    dialing,  ///< until the dial ends
    greeting, ///< until an answer, the link's loss or a timer
  };

  /// Somebody who is to become a member. Ends with a session, or with its last round.
  struct contact {
    contact_id id{};
    incarnation_id member; ///< empty: a join that does not know whom it dials
    std::optional<join_id> join;
    std::vector<endpoint> targets;
    std::size_t next_target = 0;
    std::uint32_t rounds = 0;        ///< over all targets, in vain
    std::uint32_t silent_rounds = 0; ///< those that ended in silence
    phase now = phase::queued;
    link_id link{};   ///< while greeting
    timer_id timer{}; ///< while waiting or greeting
    std::string failure;
    std::string failures; ///< of all targets in this round
  };

  using members_map = std::map<incarnation_id, member>;

  // -- contacts (member_contacts.cpp) -------------------------------------------------------------

  contact& add_contact(contact fresh);
  [[nodiscard]] contact* contact_of(const incarnation_id& member);
  void seek(const incarnation_id& member, member_effects& effects);
  void queue(contact& who);
  void wait(contact& who, std::chrono::nanoseconds delay, member_effects& effects);
  void greet(contact& who, link_id link, member_effects& effects);
  [[nodiscard]] std::optional<contact_id> take_dial(dial_id number);
  void start_dials(member_effects& effects);
  void arrived(contact_id id, const incarnation_id& member, member_effects& effects);
  void failed(contact_id id, dial_failure kind, std::string text, member_effects& effects);
  void join_round_failed(contact& who, dial_failure kind, member_effects& effects);
  void member_round_failed(contact& who, member_effects& effects);
  void note_obstacle(contact& who, member& lost, member_effects& effects);
  void drop_contact(contact_id id, member_effects& effects);
  void end_wait(contact& who, member_effects& effects);
  [[nodiscard]] bool greeting_on(link_id link) const;
  [[nodiscard]] std::vector<contact_id> greeters_on(link_id link) const;
  [[nodiscard]] std::vector<endpoint> targets_of(const incarnation_id& member) const;
  [[nodiscard]] std::chrono::nanoseconds dial_limit(const contact& who) const;
  [[nodiscard]] std::chrono::nanoseconds delay_after(std::uint32_t rounds) const;
  [[nodiscard]] std::chrono::nanoseconds deference_to(const incarnation_id& member) const;

  // -- handshakes ---------------------------------------------------------------------------------

  /// Returns whether a link is that of another node than the one that speaks. CAF tells processes
  /// apart by an id of which two may have the same, unless each was given one of its own. Nothing
  /// is answered then, since the answer would go to the member: the sender's patience ends.
  [[nodiscard]] bool is_of_another(link_id link, const incarnation_id& sender) const;
  [[nodiscard]] std::string under_a_members_id(const node_record& stranger, link_id link) const;
  void reject(link_id link, const member_message& message, const std::string& fault,
              member_effects& effects);
  void ignore(const member_message& message, const std::string& fault, member_effects& effects);
  void note_refusal(join_refusal reason, std::string text, member_effects& effects);
  [[nodiscard]] bool expects_welcome(link_id link, const incarnation_id& sender) const;
  void handle(link_id link, const hello& message, member_effects& effects);
  void handle(link_id link, const welcome& message, member_effects& effects);
  void handle(link_id link, const crossed& message, member_effects& effects);
  void handle(link_id link, const already_connected& message, member_effects& effects);
  void handle(link_id link, const refused& message, member_effects& effects);
  void handle(link_id link, const members_changed& message, member_effects& effects);
  void handle(link_id link, const session_over& message, member_effects& effects);
  void handle(link_id link, const leave_cluster& message, member_effects& effects);
  void session_ended(link_id link, session_id session, departure why, member_effects& effects);
  void accept(link_id link, const hello& message, member_effects& effects);
  void say_hello(link_id link, session_id ends, member_effects& effects);
  /// Has own numbers be larger than one that was heard. They go on from a bound if it is beyond
  /// that: who jumps ahead must not have this node propose what others refuse.
  void follow(session_id heard);
  [[nodiscard]] std::optional<refused> objection_to(const hello& message) const;
  [[nodiscard]] bool greets(link_id link, const incarnation_id& member) const;

  // -- sessions -----------------------------------------------------------------------------------

  void begin_session(link_id link, const node_record& record, session_id session,
                     member_effects& effects);
  void end_session(member& who, departure why, member_effects& effects);
  void after_loss(const incarnation_id& incarnation, departure why, member_effects& effects);
  void learn(const incarnation_id& voucher, const std::vector<member_hint>& hints,
             member_effects& effects);
  void settle(const incarnation_id& incarnation, member_effects& effects);
  /// Forgets a node that has no session, and dials it no more.
  void forget(incarnation_id node, member_effects& effects);
  /// Whether a node is known, or can be without anybody else being forgotten.
  [[nodiscard]] bool fits(const incarnation_id& incarnation) const;
  /// The same, or somebody who is lost can be forgotten for it.
  [[nodiscard]] bool has_place_for(const incarnation_id& incarnation) const;
  /// Forgets a lost node if there is no room otherwise. Returns what `has_place_for` says.
  bool make_place_for(const incarnation_id& incarnation, member_effects& effects);
  [[nodiscard]] members_map::const_iterator longest_lost() const;
  void tell_others(const incarnation_id& about, members_changed change, member_effects& effects);
  void may_forget(link_id link);
  void finish(member_effects& effects);
  [[nodiscard]] std::vector<member_hint> hints_without(const incarnation_id& receiver) const;
  [[nodiscard]] bool has_session(const incarnation_id& incarnation) const;

  node_record self_;
  member_config config_;
  bool left_ = false;
  /// The largest session number that this node counted itself or, within bounds, heard of.
  std::uint64_t last_session_ = 0;
  std::uint64_t last_contact_ = 0;
  std::uint64_t last_dial_ = 0;
  std::uint64_t last_timer_ = 0;
  members_map members_;                                  ///< at most `max_members`
  std::unordered_map<link_id, incarnation_id> sessions_; ///< the members with a session
  std::map<contact_id, contact> contacts_;               ///< one a member, and `max_joins`
  std::deque<contact_id> queue_;                         ///< those that are `queued`
  std::map<dial_id, contact_id> dials_;   ///< under way; their contacts may have ended
  std::map<timer_id, contact_id> timers_; ///< awaited
  /// Messages that were ignored, by their kind: of many that are alike the log has few.
  std::array<std::uint64_t, std::variant_size_v<member_message>> ignored_{};
  std::map<join_refusal, std::uint64_t> refused_; ///< hellos, by reason; logged as rarely
  std::vector<link_id> forgettable_;              ///< within an event: may be of no use at its end
};

} // namespace mobula
