#include "mobula/runtime/names.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/name_messages.hpp"
#include "mobula/actors/node_core.hpp"
#include "mobula/runtime/cluster_question.hpp"

namespace mobula {

namespace {

[[noreturn]] void refuse(const node_core& core, error_type type, std::string text) {
  throw object_error{{.type = type, .message = std::move(text), .origin = core.origin()}};
}

template <class Answer, class Request>
Answer ask(node_core& core, Request request, const wait_limit& limit = std::nullopt) {
  return ask_cluster<Answer>(core, std::move(request),
                             {.without_cluster = "no names",
                              .caller = "publishing or looking up a name",
                              .without_answer = "publish this name"},
                             with_answer(limit));
}

void publish(node_core& core, const std::string& name, std::string about, caf::message content,
             const object_id& object = {}) {
  auto failure = ask<std::optional<error_info>>(core, publish_name{.name = name,
                                                                   .about = std::move(about),
                                                                   .content = std::move(content),
                                                                   .answer = {},
                                                                   .object = object});
  if (failure)
    throw object_error{*std::move(failure)};
}

named_content look_up(node_core& core, const std::string& name, const wait_limit& limit) {
  require_valid(limit);
  auto answer =
    ask<name_answer>(core, lookup_name{.name = name, .limit = limit, .answer = {}}, limit);
  if (auto* failure = std::get_if<error_info>(&answer))
    throw object_error{std::move(*failure)};
  return std::get<named_content>(std::move(answer));
}

[[noreturn]] void refuse_type(const node_core& core, const std::string& name,
                              const named_content& found, std::string_view wanted) {
  refuse(core, error_type::type_mismatch,
         fmt::format("\"{}\" of node {} is {} and cannot be looked up as {}", name,
                     to_string(found.publisher), found.about, wanted));
}

} // namespace

void publish_reference(node_core& core, const std::string& name, const ObjectRef<void>& ref) {
  if (&ref.entry().core() != &core)
    refuse(core, error_type::invalid_argument,
           fmt::format("{} is a reference of another node of this process; publish it there",
                       to_string(ref)));
  publish(core, name, fmt::format("an object of type {}", ref.stored_type()),
          caf::make_message(ref), ref.id());
}

void publish_actor(node_core& core, const std::string& name, const published_actor& actor) {
  if (actor.handle == nullptr)
    refuse(core, error_type::invalid_argument,
           fmt::format("cannot publish \"{}\": there is no actor behind this handle", name));
  publish(core, name, "an actor", caf::make_message(actor.handle, actor.interface));
}

void unpublish_name_of(node_core& core, const std::string& name) {
  ask<std::optional<error_info>>(core, unpublish_name{.name = name, .answer = {}});
}

ObjectRef<void> lookup_reference(node_core& core, const std::string& name, std::string_view wanted,
                                 const wait_limit& limit) {
  auto found = look_up(core, name, limit);
  auto wanted_text =
    wanted.empty() ? std::string{"an object"} : fmt::format("an object of type {}", wanted);
  if (!found.content.match_elements<ObjectRef<void>>())
    refuse_type(core, name, found, wanted_text);
  auto result = found.content.get_as<ObjectRef<void>>(0);
  if (!wanted.empty() && result.stored_type() != wanted)
    refuse_type(core, name, found, wanted_text);
  return result;
}

caf::strong_actor_ptr lookup_actor(node_core& core, const std::string& name,
                                   const std::set<std::string>& wanted, const wait_limit& limit) {
  auto found = look_up(core, name, limit);
  if (!found.content.match_elements<caf::strong_actor_ptr, std::set<std::string>>())
    refuse_type(core, name, found, "an actor");
  auto result = found.content.get_as<caf::strong_actor_ptr>(0);
  // The actor of a node that died on the way is none.
  if (result == nullptr)
    refuse(
      core, error_type::name_not_found,
      fmt::format("node {}, which published \"{}\", is gone", to_string(found.publisher), name));
  if (!core.system().assignable(found.content.get_as<std::set<std::string>>(1), wanted))
    refuse_type(core, name, found, "one of this type, as it does not take all that is asked of it");
  return result;
}

} // namespace mobula
