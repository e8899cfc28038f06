#include "mobula/actors/type_descriptor.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula {

namespace {

/// Names stand in the keys, whose addresses a map never changes.
struct known_types {
  std::mutex mutex;
  std::map<std::pair<std::string, codec_id>, type_descriptor, std::less<>> descriptors;
};

known_types& all_types() {
  // Never destroyed: entries in static objects refer to it.
  static auto& instance = *new known_types;
  return instance;
}

} // namespace

std::string_view checked_type_name(std::string_view name) {
  if (name.size() > metadata_limits::type_name_bytes)
    throw codec_error("the type name of an object is longer than 64 KiB");
  return name;
}

const type_descriptor& intern_type(std::string_view name, codec_id codec) {
  // References come in bursts of one type.
  thread_local const type_descriptor* last = nullptr;
  if (last != nullptr && last->codec == codec && last->name == name)
    return *last;
  auto& types = all_types();
  std::unique_lock guard{types.mutex};
  auto known = types.descriptors.try_emplace(std::pair{std::string{name}, codec}).first;
  known->second = {.name = known->first.first, .codec = codec};
  last = &known->second;
  return *last;
}

} // namespace mobula
