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
#include "mobula/runtime/handler_slot.hpp"

// Reading inside of actors: nothing blocks. Each function returns a request to which handlers are
// attached with `then` (other messages are handled meanwhile) or `await` (they wait), as with
// `self->request(...)`. Handlers run as part of the actor, always in a later message, also when the
// object is ready already. Without an error handler, an error goes to the actor's own one, whose
// default ends the actor.
//
// What reads has a last parameter that callers leave out, as in `node::get`.

namespace mobula {

/// A pending read of one object, whose value is a `view<T>`. Attach handlers exactly once: more of
/// them throw `object_error` (`invalid_argument`), and so do those of a request that was moved
/// from. Belongs to its actor, as does every request here: only what runs as part of that touches
/// it.
template <class T>
class get_request : public internal::handler_attachment<get_request<T>> {
public:
  get_request(caf::scheduled_actor* self, ObjectRef<T> ref, wait_limit limit,
              internal::value_decoder decode)
    : internal::handler_attachment<get_request>(self), ref_(std::move(ref)), limit_(limit),
      decode_(decode) {
    // nop
  }

private:
  friend internal::handler_attachment<get_request>;

  template <class OnValue, class OnError>
  void start(internal::response_order order, OnValue on_value, OnError on_error) {
    slot_.take();
    auto wait = std::make_shared<internal::actor_reading>(
      *this->self(), internal::handles_of(std::span{&std::as_const(ref_), 1}), 1,
      wait_goal::readable, limit_);
    internal::when_read(this->self(), order, std::move(wait),
                        [decode = decode_, on_value = std::move(on_value),
                         on_error = std::move(on_error)](internal::actor_reading& done) mutable {
                          auto& entry = *done.entries().front();
                          auto result = internal::collect_one<T>(entry, done.group(), 0, decode);
                          if (result.has_value())
                            return on_value(result.value());
                          auto reason = to_caf_error(
                            result.has_error() ? result.error() : internal::timeout_error(entry));
                          on_error(reason);
                        });
  }

  ObjectRef<T> ref_;
  wait_limit limit_;
  internal::value_decoder decode_;
  internal::handler_slot slot_;
};

/// A pending read or wait that always ends in a result. Attach a handler exactly once, as above.
template <class T, class Result>
class group_request {
public:
  group_request(caf::scheduled_actor* self, std::vector<ObjectRef<T>> refs, std::size_t needed,
                wait_limit limit, internal::value_decoder decode)
    : self_(self), refs_(std::move(refs)), needed_(needed), limit_(limit), decode_(decode) {
    // nop
  }

  /// Calls `on_result(Result)`.
  template <class OnResult>
  void then(OnResult on_result) {
    start(internal::response_order::multiplexed, std::move(on_result));
  }

  template <class OnResult>
  void await(OnResult on_result) {
    start(internal::response_order::awaited, std::move(on_result));
  }

private:
  static constexpr bool reads = std::is_same_v<Result, outcomes<T>>;

  template <class OnResult>
  void start(internal::response_order order, OnResult on_result) {
    slot_.take();
    auto goal = reads ? wait_goal::readable : wait_goal::ready;
    auto wait = std::make_shared<internal::actor_reading>(
      *self_, internal::handles_of(std::span{std::as_const(refs_)}), needed_, goal, limit_);
    internal::when_read(
      self_, order, std::move(wait),
      [refs = std::move(refs_), needed = needed_, decode = decode_,
       on_result = std::move(on_result)](internal::actor_reading& done) mutable {
        // Each is needed by one of the two.
        static_cast<void>(needed);
        static_cast<void>(decode);
        if constexpr (reads)
          on_result(internal::collect_all<T>(done.entries(), done.group(), decode));
        else
          on_result(internal::split_ready(std::span{std::as_const(refs)}, needed, done.group()));
      });
  }

  caf::scheduled_actor* self_;
  std::vector<ObjectRef<T>> refs_;
  std::size_t needed_;
  wait_limit limit_;
  internal::value_decoder decode_;
  internal::handler_slot slot_;
};

/// Reads `ref` for the actor `self`. A zero limit means "now". Throws `object_error`
/// (`invalid_argument`, `invalid_reference`) when a handler is attached.
template <class T>
get_request<T> get(caf::scheduled_actor* self, ObjectRef<T> ref, wait_limit limit = {},
                   internal::value_decoder decode = internal::decoder_here<T>) {
  return {self, std::move(ref), limit, decode};
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
                                      wait_limit limit = {},
                                      internal::value_decoder decode = internal::decoder_here<T>) {
  auto needed = refs.size();
  return {self, std::move(refs), needed, limit, decode};
}

/// The same for references that are listed: `get_all(self, a, b, c)`.
template <class T, class... Others, internal::value_decoder Decode = internal::decoder_here<T>>
  requires(std::is_same_v<Others, ObjectRef<T>>&&...)
group_request<T, outcomes<T>> get_all(caf::scheduled_actor* self, const ObjectRef<T>& first,
                                      const Others&... others) {
  return get_all(self, list_of(first, others...), wait_limit{}, Decode);
}

/// The same with a limit: `get_all(self, 5s, a, b, c)`.
template <class T, class... Others, internal::value_decoder Decode = internal::decoder_here<T>>
  requires(std::is_same_v<Others, ObjectRef<T>>&&...)
group_request<T, outcomes<T>> get_all(caf::scheduled_actor* self, wait_limit limit,
                                      const ObjectRef<T>& first, const Others&... others) {
  return get_all(self, list_of(first, others...), limit, Decode);
}

/// Waits for `count` of `refs` and gives a `wait_result<T>`; see `node::wait`.
template <class T>
group_request<T, wait_result<T>> wait(caf::scheduled_actor* self, std::vector<ObjectRef<T>> refs,
                                      std::size_t count, wait_limit limit = {}) {
  internal::require_count(count, refs.size());
  return {self, std::move(refs), count, limit, nullptr};
}

} // namespace mobula
