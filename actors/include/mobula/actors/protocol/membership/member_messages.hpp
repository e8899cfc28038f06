#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/session_id.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/host_identity.hpp"
#include "mobula/store/port/endpoint.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

/// What nodes tell each other about membership. Each pair of nodes has its own link, on which
/// messages keep their order.

namespace mobula {

/// Where the bytes of a node's objects can be fetched.
struct data_endpoint {
  std::vector<endpoint> where; ///< in numbers; likelier ones first. Empty: nowhere
  transfer_token token;        ///< opens it; told to members only

  friend bool operator==(const data_endpoint&, const data_endpoint&) = default;
};

/// What a node says of itself. Does not change during its life.
struct node_record {
  incarnation_id incarnation;
  std::string name;
  host_identity host;
  std::int64_t process_id = 0;
  std::vector<endpoint> control; ///< tried in this order by those who dial
  data_endpoint data;
  std::string arena_path;

  friend bool operator==(const node_record&, const node_record&) = default;
};

/// Where a node can be found, as told by one that is connected to it.
struct member_hint {
  incarnation_id incarnation;
  std::vector<endpoint> control;

  friend bool operator==(const member_hint&, const member_hint&) = default;
};

/// What both sides of a handshake have to agree on before they understand anything else.
struct dialect {
  std::string cluster;
  std::uint32_t protocol_version = 0;
  std::string library_version;

  friend bool operator==(const dialect&, const dialect&) = default;
};

/// The first message of the side that dialed. Its answer is `welcome`, `crossed`,
/// `already_connected` or `refused`.
struct hello {
  dialect speaks;
  node_record record; ///< meaningless unless the dialects are equal
  /// Larger than any session that the sender has had.
  session_id proposal = session_id::none;
  /// A session that the receiver believes in, but not the sender: it is over.
  session_id ends = session_id::none;
};

/// The session has begun.
struct welcome {
  node_record record;
  session_id session = session_id::none;
  std::vector<member_hint> members; ///< those that the sender is connected to
};

/// "My own hello to you is under way, and it is the one that counts."
struct crossed {
  incarnation_id sender;
};

/// "In this session." Either the receiver finds the same, or it says hello again and ends it.
struct already_connected {
  incarnation_id sender;
  session_id session = session_id::none;
};

enum class join_refusal : std::uint8_t {
  wrong_cluster,
  wrong_protocol,
  wrong_library,
  duplicate_incarnation,
  cluster_full,
  has_left,
  malformed, ///< what it says of itself cannot be
};

/// There will be no session.
struct refused {
  join_refusal reason = join_refusal::has_left;
  std::string text; ///< for the people on the other side
};

/// The sender got, or lost, connections to these. Also the last step of a handshake, from the side
/// that dialed, with all that it is connected to.
struct members_changed {
  session_id session = session_id::none;
  std::vector<member_hint> connected;
  std::vector<incarnation_id> disconnected;
};

/// The sender does not know of this session, in which it was told something.
struct session_over {
  session_id session = session_id::none;
};

/// The sender leaves the cluster for good.
struct leave_cluster {
  session_id session = session_id::none;
};

using member_message = std::variant<hello, welcome, crossed, already_connected, refused,
                                    members_changed, session_over, leave_cluster>;

} // namespace mobula
