#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/wire/carried_bytes.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

// What another node said of a value, however it came: in a reply, along with a reference, or in
// its arena. It is checked before it is believed. Any thread.

/// Returns the error for an entry whose owner's reply makes no sense.
[[nodiscard]] error_info bad_reply(const object_entry& entry, std::string_view why);

/// Returns what is wrong with a value of so many bytes; nothing if it is sound.
[[nodiscard]] std::optional<std::string> fault_of(const object_entry& entry,
                                                  const metadata& metadata, std::size_t size,
                                                  const object_reply& reply);

/// Makes what belongs to a value; its references come through the gateway with it. REQUIRES:
/// `fault_of` found nothing; the caller owns a handle.
[[nodiscard]] std::unique_ptr<object_extras>
make_extras(object_entry& entry, const metadata& metadata, const object_reply& reply);

/// Seals a pending entry with bytes that came in a message: for good if they are few, else so that
/// they can be given up when the heap is above its limit. Returns whether it was pending.
bool seal_here(object_entry& entry, carried_bytes& data, std::unique_ptr<object_extras> extras);

} // namespace mobula
