#pragma once

#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

/// Keeps a copy in a shard of this node where it is, apart from any entry: its bytes are sent on to
/// others whatever becomes of the references here. May outlive the shard; its memory goes with the
/// last use then.
class copy_pin {
public:
  /// REQUIRES: called by the copy's shard, which has sealed it and has not taken it back.
  copy_pin(node_core& core, copy_pointer copy);

  copy_pin(const copy_pin&) = delete;
  copy_pin& operator=(const copy_pin&) = delete;

  ~copy_pin();

private:
  core_pointer core_;
  copy_pointer copy_;
};

} // namespace mobula
