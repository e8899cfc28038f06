#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <caf/response_handle.hpp>
#include <caf/scheduled_actor.hpp>

#include "mobula/get.hpp"
#include "mobula/names.hpp"
#include "mobula/request.hpp"

// What coroutines that actors run are made of: who owns a suspended one, and what it may wait for.

namespace mobula {

/// Whether a coroutine with such parameters is the call operator of an object with contents: a
/// closure with captures, or one that is written as a class. The contents die with the object,
/// which is a temporary as a rule, long before the coroutine does.
template <class Object, class... Parameters>
inline constexpr bool captures_for_coroutine =
  !std::is_empty_v<
    Object> && (std::is_invocable_v<Object&, Parameters...> || std::is_invocable_v<Object&, Parameters&...>);

/// A request to an actor whose answer has the types `Ts`, with handlers as `get_request` takes
/// them.
template <class Handle, class... Ts>
class expected_answer {
public:
  explicit expected_answer(Handle handle) : handle_(handle) {
    // nop
  }

  template <class OnValue, class OnError>
  void then(OnValue on_value, OnError on_error) {
    handle_.then([on_value](Ts... values) mutable { on_value(std::move(values)...); },
                 [on_error](caf::error& reason) mutable { on_error(reason); });
  }

private:
  Handle handle_;
};

/// What an answer with the types `Ts` is as one value.
template <class... Ts>
struct joined_answer {
  using type = std::tuple<Ts...>;
};

template <class T>
struct joined_answer<T> {
  using type = T;
};

template <>
struct joined_answer<> {
  using type = std::monostate; ///< as `co_await` gives nothing then
};

/// What an actor's coroutine waits with, and what it becomes if its actor ends before.
class coroutine_frame {
public:
  /// For free functions: the actor is the first argument.
  template <class Self, class... Ts>
    requires std::is_base_of_v<caf::scheduled_actor, Self>
  explicit coroutine_frame(Self* self, const Ts&...) noexcept : self_(self) {
    // nop
  }

  /// For member functions and lambdas: the actor is the first argument after the object.
  template <class Object, class Self, class... Ts>
    requires std::is_base_of_v<caf::scheduled_actor, Self> coroutine_frame(const Object&,
                                                                           Self* self, const Ts&...)
  noexcept : self_(self) {
    static_assert(!captures_for_coroutine<Object, Self*, Ts...>,
                  "a coroutine lambda must not capture: what it captures dies with the lambda, "
                  "long before the coroutine ends; pass it as parameters");
  }

  coroutine_frame(const coroutine_frame&) = delete;
  coroutine_frame& operator=(const coroutine_frame&) = delete;

  std::suspend_never initial_suspend() noexcept {
    return {};
  }

  std::suspend_never final_suspend() noexcept {
    return {};
  }

  template <class T>
  auto await_transform(ObjectRef<T> ref) {
    return await_transform(get(self_, std::move(ref)));
  }

  template <class T>
  auto await_transform(get_request<T> request) {
    return value_awaiter<get_request<T>, view<T>>{std::move(request)};
  }

  template <class T, class Result>
  auto await_transform(group_request<T, Result> request) {
    return group_awaiter<group_request<T, Result>, Result>{std::move(request)};
  }

  template <class Result>
  auto await_transform(name_request<Result> request) {
    using value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
    return value_awaiter<name_request<Result>, value>{std::move(request)};
  }

  template <class Handle, class... Ts>
  auto await_transform(expected_answer<Handle, Ts...> request) {
    using value = typename joined_answer<Ts...>::type;
    return value_awaiter<expected_answer<Handle, Ts...>, value>{std::move(request)};
  }

  /// For actors with a static type: the types of the answer are known.
  template <class Self, class... Ts>
  auto await_transform(typed_answer<Self, Ts...> request) {
    return await_answer<Ts...>(std::move(request));
  }

  /// The same for what `mobula::request` gives.
  template <class Self, class... Ts>
  auto await_transform(actor_request<typed_answer<Self, Ts...>> request) {
    return await_answer<Ts...>(std::move(request));
  }

  template <class Self>
  auto await_transform(untyped_answer<Self> request) {
    static_assert(!std::is_same_v<Self, Self>,
                  "an actor without static type may answer anything; say what you expect, as in "
                  "co_await mobula::expect<int>(self->request(…))");
    return request;
  }

protected:
  [[nodiscard]] caf::scheduled_actor* self() const noexcept {
    return self_;
  }

  /// What the exception is to others that has left the coroutine.
  [[nodiscard]] static caf::error reason_of_exception() {
    return to_caf_error(describe_current_exception(error_type::task_execution_exception,
                                                   "an exception left a coroutine"));
  }

private:
  struct destroy_frame {
    void operator()(void* frame) const noexcept {
      std::coroutine_handle<>::from_address(frame).destroy();
    }
  };

  template <class... Ts, class Handle>
  auto await_answer(Handle request) {
    if constexpr (std::is_same_v<std::tuple<Ts...>, std::tuple<void>>)
      return await_transform(expected_answer<Handle>{std::move(request)});
    else
      return await_transform(expected_answer<Handle, Ts...>{std::move(request)});
  }

  /// Owns a suspended coroutine.
  using frame_pointer = std::unique_ptr<void, destroy_frame>;

  /// Suspends until a handler stores a result.
  template <class Result>
  class awaiter {
  public:
    [[nodiscard]] bool await_ready() const noexcept {
      return false;
    }

  protected:
    /// Calls `attach(resume)`, which has to attach handlers that call `resume(result)`. They own
    /// the coroutine until one of them does.
    template <class Attach>
    void suspend(std::coroutine_handle<> suspended, Attach attach) {
      auto frame = std::make_shared<frame_pointer>(suspended.address());
      auto resume = [this, frame](Result result) {
        result_.emplace(std::move(result));
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

    std::optional<Result> result_;
  };

  /// For what ends in a value or an error, which is thrown.
  template <class Request, class Value>
  class value_awaiter : public awaiter<std::variant<Value, error_info>> {
  public:
    explicit value_awaiter(Request request) : request_(std::move(request)) {
      // nop
    }

    void await_suspend(std::coroutine_handle<> suspended) {
      using result = std::variant<Value, error_info>;
      this->suspend(suspended, [this](auto resume) {
        request_.then(
          [resume](auto... values) mutable {
            resume(result{std::in_place_index<0>, std::move(values)...});
          },
          [resume](caf::error& reason) mutable {
            resume(result{std::in_place_index<1>, to_error_info(reason)});
          });
      });
    }

    auto await_resume() {
      if (auto* error = std::get_if<1>(&*this->result_))
        throw object_error{std::move(*error)};
      if constexpr (!std::is_same_v<Value, std::monostate>)
        return std::get<0>(std::move(*this->result_));
    }

  private:
    Request request_;
  };

  /// For what always ends in a result.
  template <class Request, class Result>
  class group_awaiter : public awaiter<Result> {
  public:
    explicit group_awaiter(Request request) : request_(std::move(request)) {
      // nop
    }

    void await_suspend(std::coroutine_handle<> suspended) {
      this->suspend(suspended, [this](auto resume) {
        request_.then([resume](Result result) mutable { resume(std::move(result)); });
      });
    }

    Result await_resume() {
      return std::move(*this->result_);
    }

  private:
    Request request_;
  };

  caf::scheduled_actor* self_;
};

} // namespace mobula
