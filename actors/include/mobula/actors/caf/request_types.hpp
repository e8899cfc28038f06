#pragma once

#include <type_traits>

#include <caf/blocking_actor.hpp>
#include <caf/check_typed_input.hpp>
#include <caf/detail/implicit_conversions.hpp>
#include <caf/detail/type_list.hpp>
#include <caf/detail/type_traits.hpp>
#include <caf/message.hpp>
#include <caf/response_handle.hpp>
#include <caf/response_type.hpp>

#include "mobula/actors/caf/caf_version.hpp"

/// What CAF makes of the types in a request.

namespace mobula {

/// The types of a message as CAF carries it.
template <class... Ts>
using carried_types =
  caf::detail::type_list<typename caf::detail::implicit_conversions<std::decay_t<Ts>>::type...>;

/// Whether actors behind a `Handle` take a message of these types.
template <class Handle, class... Ts>
inline constexpr bool takes_message =
  caf::response_type_unbox<caf::signatures_of_t<Handle>, carried_types<Ts...>>::valid;

/// What they answer with, in CAF's words.
template <class Handle, class... Ts>
using answer_types =
  caf::response_type_t<typename Handle::signatures,
                       typename caf::detail::implicit_conversions<std::decay_t<Ts>>::type...>;

/// A request under way of an actor that is a `Self`, to which handlers for an answer of these types
/// are attached.
template <class Self, class Answer>
using pending_answer = caf::response_handle<
  std::conditional_t<std::is_base_of_v<caf::blocking_actor, Self>, caf::blocking_actor, Self>,
  Answer, std::is_base_of_v<caf::blocking_actor, Self>>;

/// The same, for actors that do not block: the types of the answer are known.
template <class Self, class... Ts>
using typed_answer = caf::response_handle<Self, caf::detail::type_list<Ts...>, false>;

/// The same, when the actor that is asked has no static type, so that the answer may be anything.
template <class Self>
using untyped_answer = caf::response_handle<Self, caf::message, false>;

/// The `std::function` that is like a handler.
template <class F>
using function_of = typename caf::detail::get_callable_trait<F>::fun_type;

} // namespace mobula
