#pragma once

#include <memory>

namespace mobula {

class object_entry;

/// Releases an entry whose last handle is gone; see `release_token`.
struct release_entry {
  void operator()(object_entry* entry) const noexcept;
};

/// The right, and the duty, to end an object's life on this node: made when the last handle goes,
/// travels as part of the `remove_references` message to the owner, and frees the entry when it is
/// destroyed. A message that is never delivered thus frees the entry, too.
using release_token = std::unique_ptr<object_entry, release_entry>;

} // namespace mobula
