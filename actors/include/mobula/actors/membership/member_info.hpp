#pragma once

#include <optional>

// Before anything that another CAF lacks.
#include "mobula/actors/caf/caf_version.hpp"

#include <caf/node_id.hpp>

#include "mobula/actors/protocol/membership/member_effects.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/actors/protocol/session_id.hpp"

namespace mobula {

/// A member as the rest of the node sees it.
struct member_info {
  node_record record;
  session_id session = session_id::none;
  caf::node_id process; ///< CAF's name of its actor system, to look up actors there
};

/// Somebody came or went.
struct member_event {
  member_info member;
  std::optional<departure> left; ///< nothing: it joined
};

} // namespace mobula
