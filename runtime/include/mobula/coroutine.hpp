#pragma once

#include <coroutine>
#include <type_traits>
#include <utility>

#include <caf/sec.hpp>
#include <caf/typed_response_promise.hpp>

#include "mobula/runtime/coroutine_frame.hpp"

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
/// with an error that describes the exception.
///
/// What it may `co_await`, and what that gives:
///
/// | what                                          | gives                                      |
/// |-----------------------------------------------|--------------------------------------------|
/// | a reference, `get(self, ref, limit)`          | a `view`                                   |
/// | `get_all(self, …)`, `wait(self, …)`           | `outcomes`, a `wait_result`                |
/// | `publish(self, …)`, `lookup(self, …)` etc.    | what mobula/names.hpp says                 |
/// | `self->request(actor, 5s, …)` of a typed      | the answer; a `std::tuple` if it has       |
/// | actor, `expect<T>(self->request(…))` of any   | several parts                              |
/// | `mobula::request(self, actor, 5s, …)` in the  | the same; it ends with the actor's node    |
/// | place of these                                |                                            |
///
/// What fails throws `object_error` there. (`co_await get_all(self, std::vector{a, b})` makes GCC
/// 12 fail: list references one by one, or name the vector first.)
///
/// A coroutine lambda must not capture, which does not compile: captures die with the lambda, long
/// before the coroutine does.
class coroutine {
public:
  class promise_type : public internal::coroutine_frame {
  public:
    using internal::coroutine_frame::coroutine_frame;

    coroutine get_return_object() noexcept {
      return {};
    }

    void return_void() noexcept {
      // nop
    }

    /// Thrown on instead, the exception would leave the frame to nobody.
    void unhandled_exception() {
      self()->quit(reason_of_exception());
    }
  };
};

/// The return type of a coroutine that answers the message that its actor handles:
///
///     mobula::task<int> sum(caf::event_based_actor* self, ObjectRef<int> a, ObjectRef<int> b) {
///       co_return *co_await a + *co_await b;
///     }
///
///     caf::behavior adder(caf::event_based_actor* self) {
///       return {[self](ObjectRef<int> a, ObjectRef<int> b) { return sum(self, a, b); }};
///     }
///
/// It is what `coroutine` is, and CAF's own promise of a response to whoever calls it: so handlers
/// of actors with and without static type may return it, and other messages are handled while it
/// waits. `co_return` gives the answer, or a `caf::error` in its place. An exception that leaves it
/// is the answer, as an error; where nobody waits for one, it ends the actor. If the actor ends
/// first, the answer is `caf::sec::request_receiver_down`. `task<void>` answers without a value.
template <class T>
using task = caf::typed_response_promise<T>;

/// Says which types the answer of an actor without static type has: `co_await
/// mobula::expect<int>(self->request(worker, 5s, 1))`. Another answer is an error.
template <class... Ts, class Handle>
[[nodiscard]] internal::expected_answer<Handle, Ts...> expect(Handle request) {
  return internal::expected_answer<Handle, Ts...>{request};
}

/// The frame of a `task<T>`.
template <class T>
class task_frame : public internal::coroutine_frame {
public:
  using internal::coroutine_frame::coroutine_frame;

  ~task_frame() {
    // CAF tells nobody of a promise that is dropped.
    if (promise_.pending())
      promise_.deliver(make_error(caf::sec::request_receiver_down));
  }

  task<T> get_return_object() {
    promise_ = self()->template make_response_promise<T>();
    return promise_;
  }

  void unhandled_exception() {
    auto reason = reason_of_exception();
    if (promise_.pending())
      promise_.deliver(std::move(reason));
    else
      self()->quit(std::move(reason));
  }

protected:
  task<T> promise_;
};

/// What differs between a `task<T>` and a `task<void>`.
template <class T>
class task_promise : public task_frame<T> {
public:
  using task_frame<T>::task_frame;

  template <class U>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::decay_t<U>, caf::error>)
  void return_value(U&& value) {
    T answer = std::forward<U>(value);
    this->promise_.deliver(std::move(answer));
  }

  void return_value(caf::error reason) {
    this->promise_.deliver(std::move(reason));
  }
};

template <>
class task_promise<void> : public task_frame<void> {
public:
  using task_frame<void>::task_frame;

  void return_void() {
    static_cast<caf::response_promise&>(promise_).deliver(caf::unit);
  }
};

} // namespace mobula

/// Lets CAF's promise of a response be the return type of a coroutine, as `mobula::task`.
template <class T, class... Parameters>
struct std::coroutine_traits<caf::typed_response_promise<T>, Parameters...> {
  using promise_type = mobula::task_promise<T>;
};
