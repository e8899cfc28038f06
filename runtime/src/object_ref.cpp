// What a reference does when a codec writes or reads it: the scope of the value around it finds its
// object. Bytes without such a scope keep nothing alive, so that there it is an error.

#include "mobula/object_ref.hpp"

#include <fmt/format.h>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/runtime/reference_scope.hpp"
#include "mobula/view.hpp"

namespace mobula {

using namespace internal;

void throw_moved_from() {
  throw object_error{{.type = error_type::invalid_reference,
                      .message =
                        "this view was moved from and shows nothing any more; read the one "
                        "that it was moved to, or copy it instead"}};
}

void basic_object_ref::throw_empty() {
  throw object_error{{.type = error_type::invalid_reference,
                      .message = "this ObjectRef is empty: it refers to no object; assign it from "
                                 "put, create or a promise before it is used"}};
}

void basic_object_ref::require_type(std::string_view wanted) const {
  const auto& known = entry().type().name;
  if (known != wanted)
    throw object_error{{.type = error_type::type_mismatch,
                        .message = fmt::format("object {} is of type {} and cannot be read as {}",
                                               to_string(id()), known, wanted),
                        .origin = entry().core().origin()}};
}

object_id basic_object_ref::write() const {
  if (empty())
    return {};
  entry().core().require_home();
  auto* scope = encode_scope::current();
  if (scope == nullptr)
    throw object_error{{.type = error_type::reference_not_portable,
                        .message = fmt::format("{} can be written only as part of a value that is "
                                               "put: bytes elsewhere keep no object alive",
                                               to_string(*this))}};
  scope->add(entry());
  return id();
}

object_handle basic_object_ref::read(const object_id& id) {
  if (id.empty())
    return {};
  object_handle result;
  if (auto* scope = decode_scope::current())
    result = scope->find(id);
  if (!result)
    throw object_error{{.type = error_type::invalid_reference,
                        .message = fmt::format("object {} is not among the references of the value "
                                               "that is being read",
                                               to_string(id))}};
  return result;
}

object_id basic_object_ref::id_from(std::string_view text) {
  auto id = parse_object_id(text);
  if (!id)
    throw codec_error("this text is no object id");
  return *id;
}

std::string to_string(const basic_object_ref& ref) {
  return ref.empty() ? "ObjectRef()" : fmt::format("ObjectRef({})", to_string(ref.id()));
}

} // namespace mobula
