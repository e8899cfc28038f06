// A reference whose object is made later: whoever claims it first sets it, and one that is dropped
// unset becomes an error, so that no reader waits for ever.

#include "mobula/promise.hpp"

#include <exception>

#include <fmt/format.h>

namespace mobula {

using namespace internal;

basic_promise::basic_promise(node_core& core, const type_descriptor& type, const call_site& where) {
  entry_draft draft{core, 0, type, where};
  handle_ = draft.announce();
}

basic_promise& basic_promise::operator=(basic_promise&& other) noexcept {
  if (this != &other) {
    break_promise();
    handle_ = std::move(other.handle_);
    set_.store(other.set_.load());
  }
  return *this;
}

basic_promise::~basic_promise() {
  break_promise();
}

void basic_promise::claim() {
  if (!handle_)
    throw object_error{{.type = error_type::invalid_reference,
                        .message = "this promise was moved from and has no object to set"}};
  handle_->core().require_home();
  if (set_.exchange(true))
    throw object_error{{.type = error_type::already_set,
                        .message = fmt::format("object {} was set before; a promise is set once",
                                               to_string(handle_->id())),
                        .origin = handle_->core().origin()}};
}

void basic_promise::set_error(error_info error) {
  if (!error_type_from_number(static_cast<std::uint16_t>(error.type)))
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("{} is the number of no error type; use a named value",
                              static_cast<unsigned>(error.type))}};
  claim();
  try {
    handle_->seal_failed(std::move(error));
  } catch (...) {
    unclaim();
    throw;
  }
}

void basic_promise::set_current_exception(std::string task) {
  if (std::current_exception() == nullptr)
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = "there is no exception to describe; call this within a catch block"}};
  claim();
  try {
    auto origin = handle_->core().origin();
    origin.task = std::move(task);
    handle_->seal_failed(
      describe_current_exception(error_type::task_execution_exception, {}, std::move(origin)));
  } catch (...) {
    unclaim();
    throw;
  }
}

void basic_promise::break_promise() noexcept {
  // That of a forked child is its parent's.
  if (!handle_ || !handle_->core().at_home() || set_.exchange(true))
    return;
  handle_->seal_failed(
    {.type = error_type::promise_broken,
     .message = fmt::format("the promise of object {} was dropped unset", to_string(handle_->id())),
     .origin = handle_->core().origin()});
}

} // namespace mobula
