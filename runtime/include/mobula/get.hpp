#pragma once

#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/outcome.hpp"
#include "mobula/runtime/handler_attachment.hpp"

// Reading inside of actors: nothing blocks. Each function returns a request to which handlers are
// attached with `then` (other messages are handled meanwhile) or `await` (they wait), as with
// `self->request(...)`. Handlers run as part of the actor, always in a later message, also when the
// object is ready already. Without an error handler, an error goes to the actor's own one, whose
// default ends the actor.

namespace mobula {

/// A pending read of one object, whose value is a `view<T>`. Attach handlers exactly once.
template <class T>
class get_request : public handler_attachment<get_request<T>> {
public:
  get_request(caf::scheduled_actor* self, ObjectRef<T> ref, wait_limit limit)
    : handler_attachment<get_request>(self), ref_(std::move(ref)), limit_(limit) {
    // nop
  }

private:
  friend handler_attachment<get_request>;

  template <class OnValue, class OnError>
  void start(response_order order, OnValue on_value, OnError on_error) {
    if (std::exchange(attached_, true))
      throw_handler_attached();
    auto wait =
      std::make_shared<actor_reading>(*this->self(), handles_of(std::span{&std::as_const(ref_), 1}),
                                      1, wait_goal::readable, limit_);
    when_read(this->self(), order, std::move(wait),
              [on_value = std::move(on_value),
               on_error = std::move(on_error)](actor_reading& done) mutable {
                auto& entry = *done.entries().front();
                auto result = collect_one<T>(entry, done.group(), 0);
                if (result.has_value())
                  return on_value(result.value());
                auto reason =
                  to_caf_error(result.has_error() ? result.error() : timeout_error(entry));
                on_error(reason);
              });
  }

  ObjectRef<T> ref_;
  wait_limit limit_;
  bool attached_ = false;
};

/// A pending read or wait that always ends in a result. Attach a handler exactly once.
template <class T, class Result>
class group_request {
public:
  group_request(caf::scheduled_actor* self, std::vector<ObjectRef<T>> refs, std::size_t needed,
                wait_limit limit)
    : self_(self), refs_(std::move(refs)), needed_(needed), limit_(limit) {
    // nop
  }

  /// Calls `on_result(Result)`.
  template <class OnResult>
  void then(OnResult on_result) {
    start(response_order::multiplexed, std::move(on_result));
  }

  template <class OnResult>
  void await(OnResult on_result) {
    start(response_order::awaited, std::move(on_result));
  }

private:
  static constexpr bool reads = std::is_same_v<Result, outcomes<T>>;

  template <class OnResult>
  void start(response_order order, OnResult on_result) {
    if (std::exchange(attached_, true))
      throw_handler_attached();
    auto goal = reads ? wait_goal::readable : wait_goal::ready;
    auto wait = std::make_shared<actor_reading>(*self_, handles_of(std::span{std::as_const(refs_)}),
                                                needed_, goal, limit_);
    when_read(self_, order, std::move(wait),
              [refs = std::move(refs_), needed = needed_,
               on_result = std::move(on_result)](actor_reading& done) mutable {
                static_cast<void>(needed); // not needed by one that reads
                if constexpr (reads)
                  on_result(collect_all<T>(done.entries(), done.group()));
                else
                  on_result(split_ready(std::span{std::as_const(refs)}, needed, done.group()));
              });
  }

  caf::scheduled_actor* self_;
  std::vector<ObjectRef<T>> refs_;
  std::size_t needed_;
  wait_limit limit_;
  bool attached_ = false;
};

/// Reads `ref` for the actor `self`. A zero limit means "now". Throws `object_error`
/// (`invalid_argument`, `invalid_reference`) when a handler is attached.
template <class T>
get_request<T> get(caf::scheduled_actor* self, ObjectRef<T> ref, wait_limit limit = {}) {
  return {self, std::move(ref), limit};
}

/// Returns the references as a vector. Braces would do, but not within `co_await`: GCC 12 fails at
/// arrays of temporaries there.
template <class T, class... Others>
std::vector<ObjectRef<T>> list_of(const ObjectRef<T>& first, const Others&... others) {
  std::vector<ObjectRef<T>> result;
  result.reserve(1 + sizeof...(others));
  result.push_back(first);
  (result.push_back(others), ...);
  return result;
}

/// Reads all of `refs` and gives `outcomes<T>`: one outcome for each, in their order.
template <class T>
group_request<T, outcomes<T>> get_all(caf::scheduled_actor* self, std::vector<ObjectRef<T>> refs,
                                      wait_limit limit = {}) {
  auto needed = refs.size();
  return {self, std::move(refs), needed, limit};
}

/// The same for references that are listed: `get_all(self, a, b, c)`.
template <class T, class... Others>
  requires(std::is_same_v<Others, ObjectRef<T>>&&...)
group_request<T, outcomes<T>> get_all(caf::scheduled_actor* self, const ObjectRef<T>& first,
                                      const Others&... others) {
  return get_all(self, list_of(first, others...));
}

/// The same with a limit: `get_all(self, 5s, a, b, c)`.
template <class T, class... Others>
  requires(std::is_same_v<Others, ObjectRef<T>>&&...)
group_request<T, outcomes<T>> get_all(caf::scheduled_actor* self, wait_limit limit,
                                      const ObjectRef<T>& first, const Others&... others) {
  return get_all(self, list_of(first, others...), limit);
}

/// Waits for `count` of `refs` and gives a `wait_result<T>`; see `node::wait`.
template <class T>
group_request<T, wait_result<T>> wait(caf::scheduled_actor* self, std::vector<ObjectRef<T>> refs,
                                      std::size_t count, wait_limit limit = {}) {
  require_count(count, refs.size());
  return {self, std::move(refs), count, limit};
}

} // namespace mobula
