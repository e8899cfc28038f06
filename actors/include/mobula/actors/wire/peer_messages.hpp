#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/actors/protocol/references/reference_messages.hpp"
#include "mobula/actors/wire/carried_bytes.hpp"
#include "mobula/actors/wire/wire_incarnation.hpp"
#include "mobula/serialization/codec_id.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

/// What nodes tell each other of references and values, as it travels in CAF. Each type is named in
/// `add_peer_messages` (peer_messages.cpp), and nowhere else. Numbers travel big-endian, as CAF
/// writes them; what these messages carry of an object is as in docs/formats.md.

namespace mobula {

/// The form in which a reader wants replies for stored values, and for large ones that are not.
enum class reply_form : std::uint8_t {
  /// Their bytes.
  bytes = 0,
  /// That they are in the owner's arena, which the reader can read.
  place = 1,
  /// What they are, without their bytes: the reader pulls these over the owner's data port.
  description = 2,
};

/// To the owner: reply for each of these objects when it can be read. Answered once for each that
/// the sender holds, in any order. It may hold one no longer: a reader may give up, and the
/// reference be dropped, before this is sent.
struct request_objects {
  session_id session = session_id::none;
  reply_form form = reply_form::bytes;
  /// What a message to the sender may have, in CAF's encoding: more would end the connection.
  std::uint32_t max_message_bytes = 0;
  std::vector<std::uint64_t> sequences;
};

/// What a reply says of its object.
enum class reply_outcome : std::uint8_t {
  /// Its value.
  value = 0,
  /// There is an error in its place, for good.
  failed = 1,
  /// It cannot be read now; who asks later may have more luck.
  refused = 2,
  /// Its value is in the owner's arena, or was a moment ago: there are no bytes here.
  in_arena = 3,
  /// Its value is to be pulled: only the metadata are here.
  stored = 4,
  /// The replies to this event are long enough: request the object again.
  deferred = 5,
};

/// Names the type of a reference inside of a value, which its metadata do not.
struct reply_type {
  std::string name;
  codec_id codec = codec_id::raw;
};

/// A reference inside of a value whose owner is gone: which one, and what stands in for it.
struct nested_successor {
  std::uint32_t index = 0;
  object_id successor;
};

struct object_reply {
  std::uint64_t sequence = 0;
  reply_outcome outcome = reply_outcome::value;
  carried_bytes metadata;                   ///< encoded metadata
  bool metadata_as_before = false;          ///< `metadata` is left out: that of the object before
  carried_bytes data;                       ///< the value, or an encoded error
  std::vector<reply_type> types;            ///< of references inside, each once
  std::vector<std::uint32_t> nested_types;  ///< for each reference inside, where its type stands
  std::vector<nested_successor> successors; ///< in the order of the references
  assigned_source source;                   ///< where to pull from, if it is stored
};

/// From the owner, once for each object that was asked for and is there.
struct object_replies {
  session_id session = session_id::none;
  std::vector<object_reply> objects;
};

/// To the owner, from a reader of its arena: some of its shards wait for news of these objects, and
/// the sender has unpinned them. A hint.
struct objects_unpinned {
  session_id session = session_id::none;
  std::vector<std::uint64_t> sequences;
};

/// To the owner, from a reader that was told where to pull values from: what became of its copies.
/// A hint.
struct report_copies {
  session_id session = session_id::none;
  std::vector<copy_report> copies;
};

/// To those who borrow: the owner is about to leave, and asks them to keep these values for as long
/// as they refer to them. Answered once for each that the receiver holds.
struct keep_objects {
  session_id session = session_id::none;
  std::vector<std::uint64_t> sequences;
};

/// To the owner that is about to leave.
struct objects_kept {
  session_id session = session_id::none;
  std::vector<std::uint64_t> kept;
  std::vector<std::uint64_t> lost; ///< they cannot be had
};

/// Makes these types known to systems that run with `config`.
void add_peer_messages(caf::actor_system_config& config);

// -- inspection -----------------------------------------------------------------------------------

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, borrowed_reference& x) {
  if constexpr (byte_inspector<Inspector>)
    return apply_packed(f, x.sequence, x.sender.high, x.sender.low, x.transit);
  else
    return show_fields(f, "mobula::borrowed_reference", x.sequence, x.sender, x.transit);
}

MOBULA_MESSAGE(mobula::borrow_references, session, batch, references)
MOBULA_MESSAGE(mobula::references_confirmed, session, batch, unknown)

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, ended_transit& x) {
  if constexpr (byte_inspector<Inspector>)
    return apply_packed(f, x.sequence, x.transit);
  else
    return show_fields(f, "mobula::ended_transit", x.sequence, x.transit);
}

MOBULA_MESSAGE(mobula::transits_ended, session, transits)

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, returned_reference& x) {
  if constexpr (byte_inspector<Inspector>)
    return apply_packed(f, x.sequence, x.count);
  else
    return show_fields(f, "mobula::returned_reference", x.sequence, x.count);
}

MOBULA_MESSAGE(mobula::return_references, session, references)
MOBULA_MESSAGE(mobula::pass_barrier, session, number)
MOBULA_MESSAGE(mobula::barrier_passed, session, number)
MOBULA_MESSAGE(mobula::request_objects, session, form, max_message_bytes, sequences)
MOBULA_MESSAGE(mobula::objects_unpinned, session, sequences)
MOBULA_MESSAGE(mobula::free_objects, session, sequences)
MOBULA_MESSAGE(mobula::keep_objects, session, sequences)
MOBULA_MESSAGE(mobula::objects_kept, session, kept, lost)
MOBULA_MESSAGE(mobula::reply_type, name, codec)

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, assigned_source& x) {
  if constexpr (byte_inspector<Inspector>)
    return apply_packed(f, x.node.high, x.node.low, x.ticket);
  else
    return show_fields(f, "mobula::assigned_source", x.node, x.ticket);
}

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, copy_report& x) {
  if constexpr (byte_inspector<Inspector>)
    return apply_packed(f, x.sequence, x.ticket, x.news);
  else
    return show_fields(f, "mobula::copy_report", x.sequence, x.ticket, x.news);
}

MOBULA_MESSAGE(mobula::report_copies, session, copies)

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, nested_successor& x) {
  if constexpr (byte_inspector<Inspector>)
    return apply_packed(f, x.index, x.successor.owner.high, x.successor.owner.low,
                        x.successor.sequence);
  else
    return show_fields(f, "mobula::nested_successor", x.index, x.successor);
}

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, object_reply& x) {
  if constexpr (byte_inspector<Inspector>) {
    // What most objects do not have takes no bytes.
    auto has = static_cast<std::uint8_t>((x.types.empty() ? 0 : 1) + (x.successors.empty() ? 0 : 2)
                                         + (x.metadata_as_before ? 4 : 0));
    if (auto error = apply_packed(f, x.sequence, x.outcome, has))
      return error;
    x.metadata_as_before = (has & 4U) != 0;
    if (!x.metadata_as_before)
      if (auto error = f(x.metadata))
        return error;
    if (auto error = f(x.data))
      return error;
    if ((has & 1U) != 0)
      if (auto error = f(x.types, x.nested_types))
        return error;
    if ((has & 2U) != 0)
      if (auto error = f(x.successors))
        return error;
    return x.outcome == reply_outcome::stored ? f(x.source) : caf::error{};
  } else {
    return show_fields(f, "mobula::object_reply", x.sequence, x.outcome, x.metadata_as_before,
                       x.metadata, x.data, x.types, x.nested_types, x.successors, x.source);
  }
}

MOBULA_MESSAGE(mobula::object_replies, session, objects)

} // namespace mobula
