// Keeps one descriptor for each type that other nodes name, as long as the process lives, since
// entries point to it, and up to a bound, since anybody may send names.

#include "mobula/actors/objects/type_descriptor.hpp"

#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

std::string_view checked_type_name(std::string_view name) {
  if (name.size() > metadata_limits::type_name_bytes)
    throw codec_error("the type name of an object is longer than 64 KiB");
  return name;
}

const type_descriptor* type_table::intern(std::string_view name, codec_id codec) {
  std::unique_lock guard{mutex_};
  auto wanted = std::pair{std::string{name}, codec};
  if (auto known = descriptors_.find(wanted); known != descriptors_.end())
    return &known->second;
  auto bytes = name.size() + fixed_bytes;
  if (max_bytes_ - bytes_ < bytes)
    return nullptr;
  bytes_ += bytes;
  auto& [key, added] = *descriptors_.try_emplace(std::move(wanted)).first;
  // Before anybody knows of it: others read it without the mutex.
  added = {.name = key.first, .codec = codec};
  return &added;
}

const type_descriptor* intern_type(std::string_view name, codec_id codec) {
  // References come in bursts of one type.
  thread_local const type_descriptor* last = nullptr;
  if (last != nullptr && last->codec == codec && last->name == name)
    return last;
  // Never destroyed: entries in static objects refer to it.
  static auto& types = *new type_table{type_table::default_max_bytes};
  const auto* found = types.intern(name, codec);
  if (found != nullptr)
    last = found;
  return found;
}

} // namespace mobula
