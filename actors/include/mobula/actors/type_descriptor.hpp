#pragma once

#include <string_view>

#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/layout.hpp"
#include "mobula/serialization/type_name.hpp"

namespace mobula {

/// What a reader must know to trust the bytes of an object. Those that this program makes have one
/// static instance for each type and codec, so that equal pointers mean equal types and only
/// strangers compare names.
struct type_descriptor {
  std::string_view name;
  codec_id codec;
  /// What raw values look like in this program; none in what other nodes name.
  layout_fingerprint layout = layout_fingerprint::none;
};

/// Returns `name`. Throws `codec_error` if it is longer than metadata can say: better when a value
/// is made than when a service of the node describes it.
[[nodiscard]] std::string_view checked_type_name(std::string_view name);

/// Returns the descriptor of values of type `T` written by codec `C`. Throws as the above.
template <class T, codec_id C>
const type_descriptor& descriptor_of() {
  static const type_descriptor instance{.name = checked_type_name(type_name<T>()),
                                        .codec = C,
                                        .layout = C == codec_id::raw ? raw_layout<T>
                                                                     : layout_fingerprint::none};
  return instance;
}

/// Returns the descriptor of a type that another node named: always the same one for the same name
/// and codec. Never freed, since entries may outlive everything: bounded by the types of the
/// cluster's programs. Thread-safe.
[[nodiscard]] const type_descriptor& intern_type(std::string_view name, codec_id codec);

} // namespace mobula
