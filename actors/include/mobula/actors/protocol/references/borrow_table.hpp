#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/references/reference_effects.hpp"

namespace mobula {

struct borrow_limits {
  /// A message holds at most so many references; more go into several. That is a megabyte of them.
  std::size_t max_batch_references = 32'768;
};

struct borrow_stats {
  std::size_t borrows = 0;           ///< now: entries for borrowed objects that their owner keeps
  std::size_t batches_in_flight = 0; ///< now, those for ended sessions included
  std::size_t outer_keeps = 0;       ///< now
  std::size_t barriers_waiting = 0;  ///< now
  std::uint64_t borrowed = 0;        ///< occurrences
  std::uint64_t returned = 0;        ///< occurrences
  std::uint64_t owner_died = 0;      ///< entries that failed so
  std::uint64_t object_deleted = 0;  ///< entries that failed so
  std::uint64_t batches_sent = 0;
};

/// The receiver's side: which borrowed objects this node holds, and what their owners know of it.
///
/// *Entries.* One record for each entry, not each object: while the end of an old entry waits to be
/// told, a new reference to the same object has a new entry already. The owner counts occurrences,
/// so both may overlap.
///
/// *Turns.* All that arrived, was read and was dropped is told at once: one batch of borrows to
/// each owner, then one message of what was freed, then one of returns. What goes to one owner
/// stays in order, so that neither a free nor a return overtakes its borrow, and no return a free:
/// the owner finds what is freed only while somebody is known to hold it. Until there is a session
/// with an owner its messages wait.
///
/// *Confirmed* means that the owner knows. Nothing here waits for it to use a reference, since the
/// transit that brought it is open until then. Two things do wait:
/// - *outer-keeps*: a reference found in a value has no transit; the object that holds it must be
///   held until the inner owner knows of us;
/// - *barriers*: their answer promises that owners know all that arrived before.
///
/// *Owner death*, or the end of the session with it, fails its entries. What waited for its
/// confirmations goes on waiting for the grace period: references that were handed on before may
/// still be on their way to the owner, which lives, and rely on who waits for us.
///
/// *Bounds.* Records are bounded by live borrowed entries; batches in flight and messages that wait
/// for a session by what was deserialized since the last confirmation or until the owner is given
/// up; barriers by one for each session; keeps by values read since the last confirmation.
///
/// | field              | raised by                    | lowered by                               |
/// |--------------------|------------------------------|------------------------------------------|
/// | channels_          | `session_started`, `traffic` | end of session, `owner_unreachable`      |
/// | channel::borrows   | `traffic`: first arrival     | `traffic`: drop; unknown; end of channel |
/// | borrow::count      | `traffic`: each arrival      | never: returned as a whole               |
/// | channel::in_flight | `traffic`                    | `confirmed`; end of channel              |
/// | channel::outbox    | `traffic` without session    | `session_started`; end of channel        |
/// | waits_ (keep)      | `traffic`: a value read      | last batch that it waits for             |
/// | waits_ (barrier)   | `barrier_asked`              | the same; end or next of its session     |
/// | wait::remaining    | begin: once for a batch      | `confirmed`, `grace_over`                |
/// | lingering_         | end of channel with batches  | `grace_over`                             |
class borrow_table {
public:
  explicit borrow_table(const incarnation_id& self, const borrow_limits& limits = {})
    : self_(self), limits_(limits) {
    // nop
  }

  borrow_table(const borrow_table&) = delete;
  borrow_table& operator=(const borrow_table&) = delete;

  // -- sessions ---------------------------------------------------------------

  /// Sends what waited for it. REQUIRES: there is no session with that node.
  void session_started(const peer_session& peer, reference_effects& effects);

  /// Ignored if it is not the current session with that node.
  void session_ended(const peer_session& peer, grace_number grace, reference_effects& effects);

  /// There will be no session with an owner that was asked for. Ignored if there is one by now.
  /// Returns whether anything waits for the end of the grace period.
  bool owner_unreachable(const incarnation_id& owner, grace_number grace,
                         reference_effects& effects);

  void grace_over(grace_number grace, reference_effects& effects);

  // -- references -------------------------------------------------------------

  /// A turn, of which only what concerns borrowed objects is looked at. REQUIRES: all of `arrived`
  /// are borrowed; an entry's arrival comes in no later turn than its drop, and what is freed has
  /// not been dropped in an earlier one.
  void traffic(std::span<const arrived_reference> arrived, const reference_traffic& rest,
               reference_effects& effects);

  /// Ignored unless it is about the oldest batch in flight.
  void confirmed(const incarnation_id& owner, const references_confirmed& answer,
                 reference_effects& effects);

  /// REQUIRES: all that arrived before the barrier was told by `traffic`.
  void barrier_asked(const incarnation_id& from, const pass_barrier& barrier,
                     reference_effects& effects);

  /// Gives back all handles and forgets everything. Fails no entry.
  void shut_down(reference_effects& effects);

  // -- properties -------------------------------------------------------------

  /// Returns whether nothing is left: no borrow, batch, keep or barrier. Sessions do not count.
  [[nodiscard]] bool empty() const noexcept;

  [[nodiscard]] borrow_stats stats() const noexcept;

  /// Returns whether there is a session with an owner, or is to be one.
  [[nodiscard]] bool expects(const incarnation_id& owner) const {
    return channels_.contains(owner);
  }

  /// Calls `f(entry, object)` for each borrow. For inspection: O(n).
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [owner, channel] : channels_)
      for (const auto& [entry, borrow] : channel.borrows)
        f(entry, object_id{.owner = owner, .sequence = borrow.sequence});
  }

  /// Asserts what must hold between two events. O(n).
  void check_invariants() const;

private:
  enum class wait_id : std::uint64_t {};

  struct borrow {
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;       ///< occurrences told to the owner
    batch_number first_batch = {}; ///< confirmed when this one is
  };

  struct flight {
    batch_number number{};
    std::vector<entry_token> entries; ///< that the batch brought first
    std::vector<wait_id> waits;
  };

  struct channel {
    session_id session = session_id::none; ///< none until there is one
    std::unordered_map<entry_token, borrow> borrows;
    std::deque<flight> in_flight; ///< numbers follow each other; the newest may be filling
    std::vector<borrowed_reference> filling;
    std::vector<std::uint64_t> freed;
    std::vector<returned_reference> returns;
    std::vector<reference_message> outbox;
    std::uint64_t batches = 0; ///< counts, for their numbers
  };

  using channels = std::map<incarnation_id, channel>;

  struct wait {
    std::size_t remaining = 0; ///< batches not confirmed, ended sessions in grace
    std::variant<kept_handle, peer_session> goal; ///< a keep, or a barrier's asker
    barrier_number number{};                      ///< of a barrier
  };

  channels::value_type& channel_to(const incarnation_id& owner, reference_effects& effects);
  borrow& add(channels::value_type& to, entry_token entry, const borrowed_reference& reference,
              reference_effects& effects);
  void keep(const value_read& read, reference_effects& effects);
  void free(const object_id& object, reference_effects& effects);
  void drop(const dropped_reference& dropped, reference_effects& effects);
  void close_batch(channels::value_type& to, reference_effects& effects);
  void close_freed(channels::value_type& to, reference_effects& effects);
  void close_returns(channels::value_type& to, reference_effects& effects);
  void send(channels::value_type& to, reference_message&& message, reference_effects& effects);
  void fail_unknown(channel& from, const flight& batch, const references_confirmed& answer,
                    reference_effects& effects);
  void end_channel(channels::iterator ended, grace_number grace, reference_effects& effects);
  void forget_barrier(const incarnation_id& asker);
  void attach(wait_id waiting, std::vector<wait_id>& to);
  void resolve(std::span<const wait_id> waits, reference_effects& effects);
  void finish(std::unordered_map<wait_id, wait>::iterator done, reference_effects& effects);
  [[nodiscard]] static flight* flight_of(channel& of, const borrow& which);

  incarnation_id self_;
  borrow_limits limits_;
  channels channels_;
  std::unordered_map<wait_id, wait> waits_;
  std::map<incarnation_id, wait_id> barriers_; ///< of those waits that are barriers
  std::map<grace_number, std::vector<wait_id>> lingering_;
  std::vector<channels::value_type*> touched_; ///< by the turn; empty between events
  std::uint64_t wait_count_ = 0;               ///< counts, for their ids
  borrow_stats counters_;                      ///< only its second half
};

} // namespace mobula
