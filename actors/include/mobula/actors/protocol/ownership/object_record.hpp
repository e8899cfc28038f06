#pragma once

#include <cstdint>

namespace mobula {

class object_entry;

/// Where the owner says an object is.
enum class object_place : std::uint8_t { pending, inline_value, stored, failed };

/// Whether an object's value refers to other objects.
enum class object_content : std::uint8_t { plain, references };

/// First reference of a node to an object, as the owner learns of it.
struct object_record {
  std::uint64_t sequence = 0;
  std::uint64_t size_bytes = 0;
  object_place place = object_place::pending;
  object_content content = object_content::plain;

  /// When the owner heard of the object, in seconds since the owner began. Nobody else sets it.
  std::uint32_t reported_at_s = 0;

  /// Opaque to the owner's table, which hands it on: reports look at it through
  /// `entry_stripe::look_at`.
  const object_entry* entry = nullptr;
};

} // namespace mobula
