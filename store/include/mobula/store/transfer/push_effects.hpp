#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula {

/// Names a connection that others ask over, within the life of this node; never given twice.
enum class reader_connection : std::uint64_t {};

/// Names an ask of another node: asks are numbered by their senders, so only the pair is unique.
using ask_key = std::pair<reader_connection, ask_number>;

/// Names one chunk on its way out.
enum class send_number : std::uint64_t {};

/// The bytes are in the store, all of them or those that have arrived.
struct served_from_memory {
  friend bool operator==(const served_from_memory&, const served_from_memory&) = default;
};

/// The bytes are in a record of a spill file, behind its header and so many bytes of metadata.
struct served_from_file {
  spill_location record;
  std::uint64_t metadata_bytes = 0;

  friend bool operator==(const served_from_file&, const served_from_file&) = default;
};

using served_place = std::variant<served_from_memory, served_from_file>;

/// Why a chunk did not go out.
enum class send_failure : std::uint8_t {
  connection_lost,
  unreadable, ///< nothing of it is on the wire; the place is stale, or the disk fails
};

// -- effects --------------------------------------------------------------------

/// Asks where the object is, and to keep it there. Answered once by `found` or `not_found`.
struct find_served {
  object_id id;
};

/// Ends what `find_served` and `found` began.
struct release_served {
  object_id id;
};

/// Asks for one chunk to be sent. Answered once by `sent`, when it is with the system, or
/// `send_failed`. Chunks of a connection go out in this order.
struct send_chunk {
  send_number send;
  reader_connection connection;
  ask_number ask;
  object_range range;
  served_place place;
};

struct send_refusal {
  reader_connection connection;
  ask_number ask;
  refusal_reason reason;
};

using push_effect = std::variant<find_served, release_served, send_chunk, send_refusal>;

/// Effects in the order in which they must be carried out. Events append to it.
using push_effects = std::vector<push_effect>;

// -- figures --------------------------------------------------------------------

/// Exact at every moment between two events.
struct push_stats {
  // What is there now.
  std::size_t connections = 0;
  std::size_t asks = 0;    ///< not yet answered
  std::size_t parked = 0;  ///< of these, wait for bytes that have not arrived here
  std::size_t objects = 0; ///< looked for, or kept for their readers
  std::size_t sends = 0;   ///< under way

  // What happened since the start.
  std::uint64_t sent_chunks = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t refusals = 0;
  std::uint64_t failed_sends = 0;
};

} // namespace mobula
