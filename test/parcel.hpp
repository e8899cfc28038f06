#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mobula/mobula.hpp>

#include <cereal/types/vector.hpp>

/// What actors of random schedules exchange, on one node or on several.

namespace mobula::test {

/// A value that says of itself what it must be, and may contain references to others like it.
struct parcel {
  std::uint64_t label = 0;
  std::string filling;
  std::vector<ObjectRef<parcel>> inner;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(label, filling, inner);
  }

  [[nodiscard]] bool intact() const {
    return filling.find_first_not_of(static_cast<char>('a' + label % 26)) == std::string::npos;
  }
};

using parcel_ref = ObjectRef<parcel>;

/// A message that carries references from one actor to another.
struct delivery {
  std::vector<parcel_ref> refs;
};
MOBULA_MESSAGE(delivery, refs)

/// Tells an actor to do one random thing.
struct do_one_thing {};
MOBULA_MESSAGE(do_one_thing)

/// Has an actor read all that it refers to, without a limit.
struct read_everything {};
MOBULA_MESSAGE(read_everything)

} // namespace mobula::test
