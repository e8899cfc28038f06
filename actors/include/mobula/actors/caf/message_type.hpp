#pragma once

#include <utility>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>

#include "mobula/actors/caf/inexact_fields.hpp"

/// What types have to say of themselves to be in messages.

/// Lets CAF write, read and print values of `type`: the fields that are named, in this order, and
/// no others, none if none is named. A field that is left out arrives as the receiver constructs
/// it. Stands behind the type, in the namespace that it is in, without a semicolon. `type` may be
/// qualified: what is written here is the type's name when a message is printed, and the name by
/// which `add_messages` has nodes tell it from others, so that it must not change.
///
///     struct job {
///       mobula::ObjectRef<std::string> text;
///       std::int32_t lines_before = 0;
///     };
///     MOBULA_MESSAGE(job, text, lines_before)
///
/// Fields with floating-point numbers in CAF's own form are refused, see `has_inexact_numbers`.
#define MOBULA_MESSAGE(type, ...)                                                           \
  MOBULA_NAME_MESSAGE(type)                                                                 \
  MOBULA_REFUSE_INEXACT_FIELDS(::std::declval<type&>() __VA_OPT__(, ) __VA_ARGS__)          \
                                                                                            \
  template <class Inspector>                                                                \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] type& x) {         \
    return f(::caf::meta::type_name(#type) MOBULA_FIELDS_OF(x __VA_OPT__(, ) __VA_ARGS__)); \
  }

/// The same for a type whose values are looked at when they have arrived: a message with one for
/// which `is_valid` (a function that takes a constant reference) does not hold is not received.
#define MOBULA_CHECKED_MESSAGE(type, is_valid, ...)                                           \
  MOBULA_NAME_MESSAGE(type)                                                                   \
  MOBULA_REFUSE_INEXACT_FIELDS(::std::declval<type&>() __VA_OPT__(, ) __VA_ARGS__)            \
                                                                                              \
  template <class Inspector>                                                                  \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] type& x) {           \
    if constexpr (Inspector::writes_state) {                                                  \
      auto error =                                                                            \
        f(::caf::meta::type_name(#type) MOBULA_FIELDS_OF(x __VA_OPT__(, ) __VA_ARGS__));      \
      return error || is_valid(x) ? std::move(error)                                          \
                                  : ::caf::make_error(::caf::sec::invalid_argument);          \
    } else {                                                                                  \
      return f(::caf::meta::type_name(#type) MOBULA_FIELDS_OF(x __VA_OPT__(, ) __VA_ARGS__)); \
    }                                                                                         \
  }

/// Declares that messages of type `type` stay within one actor system: they carry pointers. CAF
/// refuses to serialize them. Stands outside of all namespaces.
#define MOBULA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

// -- implementation details -----------------------------------------------------------------------

/// Says what a type is called on the wire, for `add_messages`. Takes a pointer to a pointer, so
/// that no derived class goes by its base's name: of two types with one name, CAF knows the first.
#define MOBULA_NAME_MESSAGE(type)                                                              \
  [[maybe_unused]] constexpr const char* mobula_name_of_message(const type* const*) noexcept { \
    return #type;                                                                              \
  }

#define MOBULA_REFUSE_INEXACT_FIELDS(...)                                                        \
  static_assert(decltype(::mobula::internal::types_of_fields(                                    \
                  MOBULA_FIRST(__VA_ARGS__) MOBULA_FIELDS_OF(__VA_ARGS__)))::arrive_as_they_are, \
                "CAF 0.17 does not bring every floating-point number to another node as it is: " \
                "give the field the type mobula::exact<...>, as in mobula::exact<double>");

#define MOBULA_FIRST(first, ...) first

/// `MOBULA_FIELDS_OF(x, a, b)` is `, x.a, x.b`. Each scan of what `MOBULA_NEXT_FIELD` leaves takes
/// one field more; there are 64.
#define MOBULA_FIELDS_OF(object, ...) \
  __VA_OPT__(MOBULA_SCAN(MOBULA_NEXT_FIELD(object, __VA_ARGS__)))
#define MOBULA_NEXT_FIELD(object, field, ...) \
  , object.field __VA_OPT__(MOBULA_NEXT_FIELD_LATER MOBULA_NO_ARGUMENTS(object, __VA_ARGS__))
#define MOBULA_NEXT_FIELD_LATER() MOBULA_NEXT_FIELD
#define MOBULA_NO_ARGUMENTS ()
#define MOBULA_SCAN(...) MOBULA_SCAN_16(MOBULA_SCAN_16(MOBULA_SCAN_16(MOBULA_SCAN_16(__VA_ARGS__))))
#define MOBULA_SCAN_16(...) MOBULA_SCAN_4(MOBULA_SCAN_4(MOBULA_SCAN_4(MOBULA_SCAN_4(__VA_ARGS__))))
#define MOBULA_SCAN_4(...) __VA_ARGS__
