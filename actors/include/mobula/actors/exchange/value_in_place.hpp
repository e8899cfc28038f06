#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "mobula/actors/objects/mapped_copy.hpp"
#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

struct object_reply;

/// A value in the arena of its owner, pinned there for as long as this exists.
struct value_in_place {
  std::unique_ptr<mapped_copy> place;
  std::span<const std::byte> data;
  std::size_t metadata_bytes = 0;
  mobula::metadata metadata;
};

/// Returns the value of a borrowed entry; nothing if its owner's arena cannot be read, or does not
/// have it. Any thread. REQUIRES: the caller owns a handle.
[[nodiscard]] std::optional<value_in_place> pin_in_place(const object_entry& entry);

/// Seals a pending borrowed entry with a value that its owner has in its arena; `reply` names what
/// it refers to. Any thread. REQUIRES: the caller owns a handle; the value is sound.
void seal_in_place(object_entry& entry, value_in_place value, const object_reply& reply);

/// Seals a pending borrowed entry with the value that its owner has in its arena, without asking
/// the owner, and returns true; changes nothing if it is not found there, or refers to other
/// objects, of which the owner must know that they are seen. Any thread. REQUIRES: the caller owns
/// a handle.
[[nodiscard]] bool find_in_place(object_entry& entry);

} // namespace mobula
