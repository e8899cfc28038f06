#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/node.hpp"
#include "mobula/runtime/handler_attachment.hpp"
#include "mobula/runtime/handler_slot.hpp"
#include "mobula/runtime/name_questions.hpp"

// Names inside of actors: what `node::publish` and its relatives do, but nothing blocks. Each
// function returns a request to which handlers are attached with `then` or `await`, as for
// `mobula::get`; a coroutine may `co_await` it. Nothing is asked before that. Without an error
// handler, an error goes to the actor's own one, whose default ends the actor.

namespace mobula {

/// A pending question about a name, whose value is a `Result`, or nothing (`void`). Attach handlers
/// exactly once, while the node exists. That throws `object_error` (`shutting_down`) if the node
/// has shut down, (`invalid_argument`) for a second handler and for one that was moved from.
template <class Result>
class name_request : public internal::handler_attachment<name_request<Result>> {
public:
  /// What makes a result of what was told; may throw `object_error`. Nothing is made if there is no
  /// result.
  using conversion = std::function<Result(const name_reply&)>;

  name_request(caf::scheduled_actor* self, node& asked, internal::name_question question,
               conversion convert = {})
    : internal::handler_attachment<name_request>(self), core_(&asked.core()),
      question_(std::move(question)), convert_(std::move(convert)) {
    // nop
  }

private:
  friend internal::handler_attachment<name_request>;

  template <class OnValue, class OnError>
  void start(internal::response_order order, OnValue on_value, OnError on_error) {
    slot_.take();
    auto handlers =
      std::make_shared<std::pair<OnValue, OnError>>(std::move(on_value), std::move(on_error));
    internal::ask_in_actor(*core_, *this->self(), order, question_,
                           [handlers, convert = std::move(convert_)](const name_reply& reply) {
                             auto failure = finish(convert, reply, handlers->first);
                             if (failure) {
                               auto reason = to_caf_error(*std::move(failure));
                               handlers->second(reason);
                             }
                           });
  }

  /// Returns why there is no value. What the handler throws passes through.
  template <class OnValue>
  static std::optional<error_info> finish([[maybe_unused]] const conversion& convert,
                                          const name_reply& reply, OnValue& on_value) {
    if (const auto* failure = internal::failure_of(reply))
      return *failure;
    if constexpr (std::is_void_v<Result>) {
      on_value();
    } else {
      std::optional<Result> result;
      try {
        result.emplace(convert(reply));
      } catch (const object_error& error) {
        return error.info();
      }
      on_value(*std::move(result));
    }
    return std::nullopt;
  }

  core_pointer core_;
  internal::name_question question_;
  conversion convert_;
  internal::handler_slot slot_;
};

/// Gives an object a name, as `node::publish` does. `asked` is the node of the reference. Throws
/// `object_error` (`invalid_reference`, `invalid_argument`) for a reference that cannot be
/// published.
template <class T>
name_request<void> publish(caf::scheduled_actor* self, node& asked, const std::string& name,
                           const ObjectRef<T>& ref) {
  return {self, asked, internal::publication_of(asked.core(), name, ref)};
}

/// The same for an actor. Throws `object_error` (`shutting_down`) if the node has shut down.
template <class Handle>
  requires caf::is_actor_handle<Handle>::value name_request<void>
  publish(caf::scheduled_actor* self, node& asked, const std::string& name, const Handle& actor) {
    return {self, asked, internal::publication_of(asked.core(), name, asked.describe(actor))};
  }

/// Gives a name to something else at once, as `node::republish` does.
template <class T>
name_request<void> republish(caf::scheduled_actor* self, node& asked, const std::string& name,
                             const ObjectRef<T>& ref) {
  return {self, asked, internal::republication_of(asked.core(), name, ref)};
}

/// The same for an actor. Throws `object_error` (`shutting_down`) if the node has shut down.
template <class Handle>
  requires caf::is_actor_handle<Handle>::value name_request<void>
  republish(caf::scheduled_actor* self, node& asked, const std::string& name, const Handle& actor) {
    return {self, asked, internal::republication_of(asked.core(), name, asked.describe(actor))};
  }

/// Takes a name back, as `node::unpublish` does.
inline name_request<void> unpublish(caf::scheduled_actor* self, node& asked,
                                    const std::string& name) {
  return {self, asked, internal::withdrawal_of(name)};
}

/// Gives an `ObjectRef<T>` to the object of this name, as `node::lookup` does. Throws
/// `object_error` (`invalid_argument`) for a negative limit, and for what is no name.
template <class T>
name_request<ObjectRef<T>> lookup(caf::scheduled_actor* self, node& asked, const std::string& name,
                                  const wait_limit& limit = std::chrono::nanoseconds{}) {
  return {self, asked, internal::search_for(name, limit),
          [core = core_pointer{&asked.core()}, name](const name_reply& reply) {
            return ObjectRef<T>{
              internal::reference_in(*core, name, reply, wanted_type<T>()).handle()};
          }};
}

/// Gives the actor of this name, as `node::lookup_actor` does. Throws the same as `lookup`, and
/// `object_error` (`shutting_down`) if the node has shut down.
template <class Handle = caf::actor>
name_request<Handle> lookup_actor(caf::scheduled_actor* self, node& asked, const std::string& name,
                                  const wait_limit& limit = std::chrono::nanoseconds{}) {
  return {self, asked, internal::search_for(name, limit),
          [core = core_pointer{&asked.core()}, name,
           wanted = internal::interface_of<Handle>(asked.core())](const name_reply& reply) {
            return caf::actor_cast<Handle>(internal::actor_in(*core, name, reply, wanted));
          }};
}

} // namespace mobula
