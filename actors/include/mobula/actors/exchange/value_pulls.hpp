#pragma once

#include <optional>
#include <span>
#include <unordered_map>

#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/exchange/reply_intake.hpp"
#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// Values of borrowed objects that are on their way over the data port: from the owner's word that
/// there is one to the end of its pull. The transfers actor moves the bytes.
///
/// | field  | raised by | lowered by      |
/// |--------|-----------|-----------------|
/// | pulls_ | `start`   | `ended`, `stop` |
///
/// *Bounds*: by the borrowed entries.
class value_pulls {
public:
  /// A value on its way, and what its owner calls this node's copy of it.
  struct pull {
    copy_pointer copy;
    copy_ticket ticket{};
  };

  /// REQUIRES: both outlive this.
  value_pulls(node_core& core, const exchange_peers& peers) : core_(core), peers_(peers) {
    // nop
  }

  value_pulls(const value_pulls&) = delete;
  value_pulls& operator=(const value_pulls&) = delete;

  /// Returns whether the value is on its way already. What is told of it then is a new place to get
  /// it from, which is not needed, and a new name of the copy.
  [[nodiscard]] bool started_already(const object_entry& entry, const object_reply& reply);

  /// REQUIRES: `apply_reply` said `to_pull`; the value is not on its way.
  void start(object_entry& entry, const object_reply& reply, metadata_reader& reader);

  /// Those that have not begun learn it when they do.
  void raise_priorities(std::span<const object_id> objects);

  /// The pull of an entry has ended. Returns what was known of it; nothing if it was stopped while
  /// this was on its way.
  [[nodiscard]] std::optional<pull> ended(const object_entry& entry);

  /// Nothing is to be pulled for the entry any more, and what was pulled goes. The token may be
  /// null.
  void stop(const object_entry& entry, release_token token);

  /// Returns whether the value was pulled, or is on its way.
  [[nodiscard]] bool has(const object_entry& entry) const;

private:
  node_core& core_;
  const exchange_peers& peers_;
  std::unordered_map<const object_entry*, pull> pulls_; ///< that have not ended
};

} // namespace mobula
