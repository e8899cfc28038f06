#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "mobula/get.hpp"

namespace mobula {

/// The return type of coroutines that an actor runs. The first parameter names the actor:
///
///     mobula::coroutine sum(caf::event_based_actor* self, ObjectRef<int> a, ObjectRef<int> b) {
///       auto left = co_await a;
///       auto right = co_await mobula::get(self, b, 5s);
///       self->send(printer, *left + *right);
///     }
///
/// It starts at once and resumes on its actor, never on another thread. The actor owns it: one that
/// still waits when its actor ends is destroyed there. An exception that leaves it ends the actor,
/// with an error that describes the exception. The body must not suspend for anything but objects.
///
/// A coroutine lambda must not capture: captures die with the lambda, long before the coroutine
/// does.
class coroutine {
public:
  class promise_type;

private:
  using handle = std::coroutine_handle<promise_type>;

  struct destroy_frame {
    void operator()(void* frame) const noexcept {
      std::coroutine_handle<>::from_address(frame).destroy();
    }
  };

  /// Owns a suspended coroutine.
  using frame_pointer = std::unique_ptr<void, destroy_frame>;

  template <class Request, class Result>
  class awaiter;
};

/// Suspends until a request of the actor is answered. `Result` is what the handler stores.
template <class Request, class Result>
class coroutine::awaiter {
public:
  explicit awaiter(Request request) : request_(std::move(request)) {
    // nop
  }

  [[nodiscard]] bool await_ready() const noexcept {
    return false;
  }

  void await_suspend(std::coroutine_handle<> suspended) {
    // The handlers own the coroutine until one of them resumes it.
    auto frame = std::make_shared<frame_pointer>(suspended.address());
    auto resume = [this, frame](auto&& result) {
      result_.emplace(std::forward<decltype(result)>(result));
      std::coroutine_handle<>::from_address(frame->release()).resume();
    };
    try {
      attach(resume);
    } catch (...) {
      // The coroutine goes on at once, with the exception: it is not the handlers' any more.
      static_cast<void>(frame->release());
      throw;
    }
  }

  auto await_resume() {
    if constexpr (is_reading) {
      if (auto* error = std::get_if<error_info>(&*result_))
        throw object_error{std::move(*error)};
      return std::get<0>(std::move(*result_));
    } else {
      return std::move(*result_);
    }
  }

private:
  static constexpr bool is_reading = requires(Result result) {
    std::get_if<error_info>(&result);
  };

  template <class F>
  void attach(F resume) {
    if constexpr (is_reading)
      request_.then([resume](auto value) mutable { resume(std::move(value)); },
                    [resume](caf::error& reason) mutable { resume(to_error_info(reason)); });
    else
      request_.then([resume](Result result) mutable { resume(std::move(result)); });
  }

  Request request_;
  std::optional<Result> result_;
};

class coroutine::promise_type {
public:
  /// For free functions: the actor is the first argument.
  template <class Self, class... Ts>
    requires std::is_base_of_v<caf::scheduled_actor, Self>
  explicit promise_type(Self* self, const Ts&...) noexcept : self_(self) {
    // nop
  }

  /// For member functions and lambdas: the actor is the first argument after the object.
  template <class Object, class Self, class... Ts>
    requires std::is_base_of_v<caf::scheduled_actor, Self> promise_type(const Object&, Self* self,
                                                                        const Ts&...)
  noexcept : self_(self) {
    // nop
  }

  coroutine get_return_object() noexcept {
    return {};
  }

  std::suspend_never initial_suspend() noexcept {
    return {};
  }

  std::suspend_never final_suspend() noexcept {
    return {};
  }

  void return_void() noexcept {
    // nop
  }

  /// Thrown on instead, the exception would leave the frame to nobody.
  void unhandled_exception() {
    self_->quit(to_caf_error(describe_current_exception(error_type::task_execution_exception,
                                                        "an exception left a coroutine")));
  }

  template <class T>
  auto await_transform(ObjectRef<T> ref) {
    return await_transform(get(self_, std::move(ref)));
  }

  template <class T>
  auto await_transform(get_request<T> request) {
    return awaiter<get_request<T>, reading<T>>{std::move(request)};
  }

  template <class T, class Result>
  auto await_transform(group_request<T, Result> request) {
    return awaiter<group_request<T, Result>, Result>{std::move(request)};
  }

private:
  caf::scheduled_actor* self_;
};

} // namespace mobula
