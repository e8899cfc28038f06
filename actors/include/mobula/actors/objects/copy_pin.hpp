#pragma once

#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

/// Keeps a copy in a shard of this node where it is, apart from any entry: its bytes are sent on to
/// others whatever becomes of the references here. May outlive the shard; its memory goes with the
/// last use then.
class copy_pin {
public:
  /// REQUIRES: called by the copy's shard, which has sealed it and has not taken it back.
  copy_pin(object_host& host, copy_pointer copy);

  copy_pin(const copy_pin&) = delete;
  copy_pin& operator=(const copy_pin&) = delete;

  ~copy_pin();

private:
  host_pointer host_;
  copy_pointer copy_;
};

} // namespace mobula
