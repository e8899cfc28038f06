#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

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

/// Types that other nodes named. What is in it stays as it is for good, since entries refer to it
/// and may outlive everything: so there is a bound on what others can have this process keep.
/// Thread-safe.
class type_table {
public:
  /// Many times what the programs of a cluster have: some hundred thousand types of usual names.
  static constexpr std::size_t default_max_bytes = std::size_t{32} << 20U;

  /// What each type counts beside its name.
  static constexpr std::size_t fixed_bytes = 128;

  explicit type_table(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {
    // nop
  }

  type_table(const type_table&) = delete;
  type_table& operator=(const type_table&) = delete;

  /// Returns the one descriptor for this name and codec; null if it is new and there is no space.
  [[nodiscard]] const type_descriptor* intern(std::string_view name, codec_id codec);

private:
  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0; ///< raised by `intern`, never lowered
  /// Names stand in the keys, whose addresses a map never changes.
  std::map<std::pair<std::string, codec_id>, type_descriptor> descriptors_;
};

/// Returns the descriptor of a type that another node named, of the process's one table; null if
/// others have named too many. Thread-safe.
[[nodiscard]] const type_descriptor* intern_type(std::string_view name, codec_id codec);

} // namespace mobula
