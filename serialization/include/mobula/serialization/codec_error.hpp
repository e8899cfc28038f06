#pragma once

#include <stdexcept>

namespace mobula {

/// Thrown when bytes are no value of the wanted type, or when a value is beyond what its format can
/// carry. Whatever else a codec throws comes from the user's own code.
class codec_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace mobula
