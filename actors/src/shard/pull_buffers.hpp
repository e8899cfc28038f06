#pragma once

#include <cstdint>

#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "shard_core.hpp"

namespace mobula {

/// The part of a shard that has the copies of values which are pulled from other nodes. They are
/// secondaries: they take part in everything but disks, and have numbers of their own in place of
/// an object's.
class pull_buffers {
public:
  /// REQUIRES: the shard outlives this.
  explicit pull_buffers(shard_core& shard) : shard_(shard) {
    // nop
  }

  // -- events -------------------------------------------------------------------------------------

  void reserve(const reserve_pull_buffer& request);
  void withdraw(const withdraw_pull_buffer& request);
  void take_back(const return_pull_buffer& request);
  void seal(const seal_pulled& request);
  void release(const release_pulled& request);

  // -- effects ------------------------------------------------------------------------------------

  /// The pull has got space, and this memory. REQUIRES: it waits for it.
  void grant(shard_slot& held, arena_block memory);

  /// There is none. The transfers know nothing of the store: the words are made here, and name the
  /// object as its readers do.
  void refuse(std::uint64_t number, const refuse_request& effect);

private:
  void answer_whole(const reserve_pull_buffer& request);

  shard_core& shard_;
};

} // namespace mobula
