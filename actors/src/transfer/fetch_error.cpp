// The words for a pull that failed.

#include "fetch_error.hpp"

#include <string>

#include <fmt/format.h>

namespace mobula {

namespace {

std::string text_of(const object_id& object, error_type error, pull_outcome outcome) {
  auto name = to_string(object);
  auto owner = to_string(object.owner);
  if (error == error_type::owner_died)
    return fmt::format("node {}, which owned object {}, is dead or cannot be reached", owner, name);
  if (outcome == pull_outcome::unreachable)
    return fmt::format("the bytes of object {} cannot be fetched: nobody answers at the data port "
                       "of node {}; see whether a firewall is in the way, and try again",
                       name, owner);
  return fmt::format("the bytes of object {} could not be fetched from node {} this time; try "
                     "again",
                     name, owner);
}

} // namespace

error_info fetch_error(const object_id& object, error_type error, pull_outcome outcome) {
  return {.type = error, .message = text_of(object, error, outcome)};
}

} // namespace mobula
