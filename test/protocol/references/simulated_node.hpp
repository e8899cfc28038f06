#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "mobula/actors/protocol/references/reference_protocol.hpp"
#include "wire_message.hpp"

namespace mobula::test {

/// What a node needs of the world around it.
class node_surroundings {
public:
  virtual ~node_surroundings() = default;

  virtual void send(const incarnation_id& from, const incarnation_id& to, wire_message message) = 0;
  virtual void start_timer(const incarnation_id& of, start_grace timer) = 0;
  virtual void start_timer(const incarnation_id& of, start_lease timer) = 0;
  virtual void dial(const incarnation_id& from, const incarnation_id& owner) = 0;

  /// The node has something to tell its tables, soon.
  virtual void want_turn(const incarnation_id& of) = 0;

  /// An own object lost its last handle and is about to be freed.
  virtual void object_freed(const object_id& object) = 0;

  /// A promise was broken.
  virtual void violation(const std::string& text) = 0;
};

/// What becomes of references as they arrive.
enum class on_arrival : std::uint8_t { hold, drop };

/// One node of the simulation: entries with handle counts as in `object_entry`, nested handles in
/// values, an application that holds references, and the tables under test. It drives these exactly
/// as the actor is to do it.
///
/// Tokens are slots that are used again at once, like addresses in reality.
class simulated_node {
public:
  simulated_node(const incarnation_id& self, node_surroundings& world, borrow_limits limits)
    : self_(self), world_(world), tables_(self, limits) {
    // nop
  }

  simulated_node(const simulated_node&) = delete;
  simulated_node& operator=(const simulated_node&) = delete;

  // -- the application --------------------------------------------------------

  /// Makes an object whose value holds references to `nested`, which are held here.
  object_id create(const std::vector<object_id>& nested);

  void copy(const object_id& object);

  void drop(const object_id& object);

  void drop_all();

  /// Frees a borrowed object's value: its owner is told. Nothing if the reference has failed, or is
  /// not under the promise of I1.
  void free(const object_id& object);

  /// Serializes references into one message; transits are open afterwards.
  [[nodiscard]] user_message serialize(const std::vector<object_id>& objects);

  /// The message of `serialize` will not be sent after all.
  void cancel(const user_message& message);

  /// The message arrived and is deserialized.
  void deserialize(const user_message& message, on_arrival then);

  /// Asks for the value of a borrowed object, or reads an own one.
  void read(const object_id& object);

  // -- the network ------------------------------------------------------------

  void handle(const incarnation_id& from, const wire_message& message);

  void begin_session(const peer_session& peer);

  void end_session(const peer_session& peer);

  void owner_unreachable(const incarnation_id& owner);

  void grace_over(grace_number number);

  void lease_passed(lease_mark mark);

  /// Tells the tables what happened since the last turn.
  void turn();

  // -- properties -------------------------------------------------------------

  [[nodiscard]] const incarnation_id& self() const noexcept {
    return self_;
  }

  [[nodiscard]] const reference_protocol& tables() const noexcept {
    return tables_;
  }

  /// Returns the session with that node, none if there is none.
  [[nodiscard]] session_id session_with(const incarnation_id& node) const;

  /// Objects that the application holds, once for each handle, in order of arrival.
  [[nodiscard]] std::vector<object_id> held() const;

  [[nodiscard]] unsigned depth_of(const object_id& object) const;

  /// Handles that the application has on the object, failed ones included.
  [[nodiscard]] std::size_t holds(const object_id& object) const;

  /// Whether one of them failed.
  [[nodiscard]] bool has_failed(const object_id& object) const;

  /// Whether there is a living entry, under the promise of I1.
  [[nodiscard]] bool relies_on(const object_id& object) const;

  /// Whether there is an entry of an own object with this number.
  [[nodiscard]] bool has_own(std::uint64_t sequence) const {
    return own_.contains(sequence);
  }

  /// Names what is left; empty if nothing is.
  [[nodiscard]] std::string leftovers() const;

  /// How references that arrive from an owner without a session are to be seen: only without
  /// failures does the protocol promise anything about them.
  bool sound_without_session = true;

  /// From here on references are dropped as they arrive.
  bool ending = false;

private:
  using slot = std::uint32_t;

  struct entry {
    object_id object;
    std::uint32_t handles = 0;
    unsigned depth = 0;
    bool in_use = false;
    bool failed = false;
    bool sound = true;
    std::vector<slot> nested; ///< handles that the value holds
  };

  struct reading {
    slot outer; ///< holds a handle
  };

  slot make_entry(const object_id& object, unsigned depth);
  slot bind(const wire_reference& reference);
  slot find_held(const object_id& object) const;
  void drop_handle(slot which);
  void free_slot(slot which);
  void fail(slot which, reference_failure reason);
  void own_value_read(slot of);
  void value_arrived(const value_reply& value);
  void serve_request(const incarnation_id& from, const request_value& request);
  void borrow_asked(const incarnation_id& from, const borrow_references& message);
  void free_asked(const incarnation_id& from, const free_objects& message);
  void forget_readings(const incarnation_id& owner);
  void carry_out(reference_effects& effects);
  void note_traffic();

  [[nodiscard]] static std::uint64_t number_of(slot which) noexcept {
    return std::uint64_t{which} + 1;
  }

  incarnation_id self_;
  node_surroundings& world_;
  reference_protocol tables_;
  std::vector<entry> entries_;
  std::vector<slot> free_;
  std::vector<slot> zombies_; ///< without handles, the tables have not been told yet
  std::unordered_map<std::uint64_t, slot> own_;
  std::unordered_map<object_id, slot> borrowed_; ///< those that live
  std::vector<slot> held_;
  std::map<incarnation_id, session_id> sessions_;
  std::map<std::uint64_t, reading> readings_;
  reference_traffic traffic_;
  std::uint64_t sequences_ = 0;
  std::uint64_t transits_ = 0;
  std::uint64_t reading_count_ = 0;
};

} // namespace mobula::test
