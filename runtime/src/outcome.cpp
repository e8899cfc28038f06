// What outcomes and requests throw that are used as they are not meant to be.

#include "mobula/outcome.hpp"

#include "mobula/serialization/error.hpp"

namespace mobula {

namespace {

error_info bad_argument(std::string message) {
  return {.type = error_type::invalid_argument, .message = std::move(message)};
}

} // namespace

void throw_without_value(const error_info* error) {
  if (error != nullptr)
    throw object_error{*error};
  throw object_error{{.type = error_type::get_timed_out,
                      .message = "the object was not ready in time, so this outcome is pending and "
                                 "has no value; ask has_value first"}};
}

void throw_without_error() {
  throw object_error{
    bad_argument("this outcome is not an error, so it has none to tell; ask has_error first")};
}

void throw_handler_attached() {
  throw object_error{bad_argument("this request has its handler already, which gets the one answer "
                                  "there is; make another request for another handler")};
}

void throw_request_moved_from() {
  throw object_error{
    bad_argument("this request was moved from, so it asks nobody; attach the handler "
                 "to the one that it was moved to")};
}

} // namespace mobula
