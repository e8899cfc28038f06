// How an address and its port are written.

#include "mobula/store/port/endpoint.hpp"

#include <fmt/format.h>

namespace mobula {

std::string to_string(const endpoint& where) {
  if (where.address.find(':') != std::string::npos)
    return fmt::format("[{}]:{}", where.address, where.port);
  return fmt::format("{}:{}", where.address, where.port);
}

} // namespace mobula
