#pragma once

#include "mobula/actors/messages/shard_messages.hpp"
#include "shard_core.hpp"

namespace mobula {

/// The part of a shard that looks after readers in other processes: those that died with pins
/// report nothing, so that the copies which wait for their reports are looked at.
class reader_checks {
public:
  /// REQUIRES: the shard outlives this.
  explicit reader_checks(shard_core& shard) : shard_(shard) {
    // nop
  }

  /// A node may have died that read here.
  void node_lost(readers_lost);

  /// Looks again after a while, and then for as long as there are readers.
  void look_later();

  /// Tells the table of all copies that have no reader any more.
  void forget_dead_readers();

  [[nodiscard]] bool awaits_look() const noexcept {
    return next_look_ != deadline{};
  }

private:
  void look_again();

  shard_core& shard_;
  deadline next_look_;
};

} // namespace mobula
