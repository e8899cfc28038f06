#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/store/shard/store_space.hpp"
#include "shard_readers.hpp"

namespace mobula {

/// Carries out what the store's table asks of a shard.
class effect_carrier {
public:
  virtual ~effect_carrier() = default;

  /// Carries out all effects, in order, and those too that are appended meanwhile.
  virtual void carry_out(const shard_effects& effects) = 0;
};

/// What the parts of a shard share: its node, its objects and their readers, its timers, and the
/// way to the table of the store, which all shards use. Belongs to the shard's actor.
class shard_core {
public:
  using self_pointer = store_shard_actor::pointer;

  /// REQUIRES: the node outlives this; called by the shard's actor.
  shard_core(node_core& node, std::uint32_t index, self_pointer self);

  shard_core(const shard_core&) = delete;
  shard_core& operator=(const shard_core&) = delete;

  /// REQUIRES: called once, before any event; the carrier is there at each event.
  void run_with(effect_carrier& carrier) {
    carrier_ = &carrier;
  }

  /// Gives back all memory that nobody reads. Threads that wait for space are refused when this
  /// goes.
  void close();

  [[nodiscard]] node_core& node() const noexcept {
    return node_;
  }

  [[nodiscard]] std::uint32_t index() const noexcept {
    return index_;
  }

  [[nodiscard]] store_shard_actor actor() const {
    return store_shard_actor{self_};
  }

  [[nodiscard]] store_space& space() const {
    return node_.space();
  }

  [[nodiscard]] shared_heap& heap() const {
    return node_.heap();
  }

  [[nodiscard]] shard_readers& readers() noexcept {
    return readers_;
  }

  [[nodiscard]] actor_timers& timers() noexcept {
    return timers_;
  }

  /// Sends in the name of the shard's actor.
  template <class Receiver, class Message>
  void send(const Receiver& receiver, Message message) {
    self_->send(receiver, std::move(message));
  }

  /// Returns the error that readers and creators get.
  [[nodiscard]] error_info worded(const refuse_request& effect) const;

  // -- objects ------------------------------------------------------------------------------------

  /// By their numbers here: an own object's sequence, or what a pull is called.
  using slot_map = std::unordered_map<std::uint64_t, shard_slot>;

  [[nodiscard]] const slot_map& slots() const noexcept {
    return slots_;
  }

  /// What the table calls the object `number`.
  [[nodiscard]] object_id id_of(std::uint64_t number) const;

  /// The same for what is pulled.
  [[nodiscard]] object_id id_of(pull_number number) const {
    return id_of(static_cast<std::uint64_t>(number));
  }

  /// Returns the slot that there is, if there is one.
  shard_slot& add(std::uint64_t number, shard_slot slot) {
    return slots_.emplace(number, std::move(slot)).first->second;
  }

  /// REQUIRES: the shard has the object.
  [[nodiscard]] shard_slot& slot_of(const object_id& id) {
    return slots_.at(id.sequence);
  }

  /// Returns null if the shard does not have it.
  [[nodiscard]] shard_slot* find(std::uint64_t number) {
    auto known = slots_.find(number);
    return known != slots_.end() ? &known->second : nullptr;
  }

  void forget(std::uint64_t number) {
    slots_.erase(number);
  }

  /// Forgets the object if the table has.
  void drop_unknown(const object_id& id);

  /// The same at the end of the event, for what an effect has freed.
  void drop_later(const object_id& id) {
    freed_.push_back(id);
  }

  // -- the table ----------------------------------------------------------------------------------

  /// Returns a new one; those of all shards differ.
  request_token next_token();

  /// Tells the table of an event. Whatever it asked of this shard before is carried out first, but
  /// for what stands behind an effect that is being carried out: the event is its answer then.
  template <class... Parameters, class... Arguments>
  void tell(void (store_table::*event)(Parameters...), Arguments... arguments) {
    tell(
      [&](store_table& table, store_effects& effects) { (table.*event)(arguments..., effects); });
  }

  template <class Event>
  void tell(Event event) {
    if (carrying_out_)
      space().answer(index_, effects_, woken_, event);
    else
      while (!space().try_event(index_, effects_, woken_, event))
        carry_out();
    wake_others();
  }

  /// Takes what events of other shards ask of this one.
  void collect_effects() {
    space().collect_effects(index_, effects_);
  }

  /// Ends an event: carries out what the table asks for.
  void run();

  void check_invariants();

private:
  void wake_others();
  void carry_out();

  node_core& node_;
  const std::uint32_t index_;
  self_pointer self_;
  effect_carrier* carrier_ = nullptr;
  shard_readers readers_;
  shard_effects effects_;
  bool carrying_out_ = false;        ///< the effects
  std::vector<std::uint32_t> woken_; ///< shards that do not know yet that effects wait for them
  std::vector<object_id> freed_;     ///< by the effects that are being carried out
  slot_map slots_;
  std::vector<std::shared_ptr<space_request>> refused_at_end_;
  std::uint64_t tokens_ = 0;
  actor_timers timers_;
};

} // namespace mobula
