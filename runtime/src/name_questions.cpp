// Publishes and looks up names for threads and actors: asks the cluster actor, and makes of its
// answer what the caller wants, or says why it is something else.

#include "mobula/runtime/name_questions.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "mobula/actors/launch/launch_node.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/protocol/names/name_table.hpp"
#include "mobula/actors/wire/name_messages.hpp"
#include "mobula/runtime/cluster_question.hpp"

namespace mobula::internal {

struct asked_of_names {
  std::variant<publish_name, unpublish_name, lookup_name> content;
};

namespace {

name_question question_of(std::variant<publish_name, unpublish_name, lookup_name> content) {
  return std::make_shared<asked_of_names>(asked_of_names{std::move(content)});
}

[[noreturn]] void refuse(const node_core& core, error_type type, std::string text) {
  throw object_error{{.type = type, .message = std::move(text), .origin = core.origin()}};
}

/// Has the actor run that keeps names. The network is not needed for that.
void start_names(node_core& core) {
  core.require_home();
  if (!core.in_cluster())
    launch_cluster(core);
}

template <class Answer, class Request>
Answer ask(node_core& core, Request request, const wait_limit& limit = std::nullopt) {
  start_names(core);
  return ask_cluster<Answer>(core, std::move(request),
                             {.caller = "publishing or looking up a name",
                              .without_answer = "publish this name",
                              .instead = "mobula::publish(self, node, name, …), lookup and their "
                                         "like (mobula/names.hpp)"},
                             with_answer(limit));
}

[[noreturn]] void refuse_type(const node_core& core, const std::string& name,
                              const named_content& found, std::string_view wanted) {
  refuse(core, error_type::type_mismatch,
         fmt::format("\"{}\" of node {} is {} and cannot be looked up as {}", name,
                     to_string(found.publisher), found.about, wanted));
}

publish_name message_for(const node_core& core, const std::string& name, const ObjectRef<void>& ref,
                         own_name if_own) {
  if (&ref.entry().core() != &core)
    refuse(core, error_type::invalid_argument,
           fmt::format("{} is a reference of another node of this process; publish it there",
                       to_string(ref)));
  return {.name = name,
          .about = fmt::format("an object of type {}", ref.stored_type()),
          .content = caf::make_message(ref),
          .answer = {},
          .if_own = if_own,
          .object = ref.id()};
}

publish_name message_for(const node_core& core, const std::string& name,
                         const published_actor& actor, own_name if_own) {
  if (actor.handle == nullptr)
    refuse(core, error_type::invalid_argument,
           fmt::format("cannot publish \"{}\": there is no actor behind this handle", name));
  return {.name = name,
          .about = "an actor",
          .content = caf::make_message(actor.handle, actor.interface),
          .answer = {},
          .if_own = if_own};
}

ObjectRef<void> reference_in(const node_core& core, const std::string& name,
                             const named_content& found, std::string_view wanted) {
  auto wanted_text =
    wanted.empty() ? std::string{"an object"} : fmt::format("an object of type {}", wanted);
  if (!found.content.match_elements<ObjectRef<void>>())
    refuse_type(core, name, found, wanted_text);
  auto result = found.content.get_as<ObjectRef<void>>(0);
  if (!wanted.empty() && result.stored_type() != wanted)
    refuse_type(core, name, found, wanted_text);
  return result;
}

/// What CAF's systems say of two interfaces. The node's own may be gone when the answer comes.
bool takes_all(const std::set<std::string>& offered, const std::set<std::string>& wanted) {
  return wanted.empty() ? offered.empty() : std::ranges::includes(offered, wanted);
}

caf::strong_actor_ptr actor_in(const node_core& core, const std::string& name,
                               const named_content& found, const std::set<std::string>& wanted) {
  if (!found.content.match_elements<caf::strong_actor_ptr, std::set<std::string>>())
    refuse_type(core, name, found, "an actor");
  auto result = found.content.get_as<caf::strong_actor_ptr>(0);
  // The actor of a node that died on the way is none.
  if (result == nullptr)
    refuse(
      core, error_type::name_not_found,
      fmt::format("node {}, which published \"{}\", is gone", to_string(found.publisher), name));
  if (!takes_all(found.content.get_as<std::set<std::string>>(1), wanted))
    refuse_type(core, name, found, "one of this type, as it does not take all that is asked of it");
  return result;
}

/// Throws for what nobody can publish: it would be waited for in vain, and stand in the error.
void require_name(const std::string& name) {
  const name_config bounds{};
  if (name.empty() || name.size() > bounds.max_name_bytes)
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("cannot look up \"{:.40}\": the name has {} bytes; use 1 to {}", name,
                              name.size(), bounds.max_name_bytes)}};
}

/// Blocks until the name is found.
named_content look_up(node_core& core, const std::string& name, const wait_limit& limit) {
  require_valid(limit);
  require_name(name);
  auto answer =
    ask<name_answer>(core, lookup_name{.name = name, .limit = limit, .answer = {}}, limit);
  if (auto* failure = std::get_if<error_info>(&answer))
    throw object_error{std::move(*failure)};
  return std::get<named_content>(std::move(answer));
}

} // namespace

// -- questions ------------------------------------------------------------------------------------

name_question publication_of(const node_core& core, const std::string& name,
                             const ObjectRef<void>& ref) {
  return question_of(message_for(core, name, ref, own_name::refuse));
}

name_question republication_of(const node_core& core, const std::string& name,
                               const ObjectRef<void>& ref) {
  return question_of(message_for(core, name, ref, own_name::replace));
}

name_question publication_of(const node_core& core, const std::string& name,
                             const published_actor& actor) {
  return question_of(message_for(core, name, actor, own_name::refuse));
}

name_question republication_of(const node_core& core, const std::string& name,
                               const published_actor& actor) {
  return question_of(message_for(core, name, actor, own_name::replace));
}

name_question withdrawal_of(const std::string& name) {
  return question_of(unpublish_name{.name = name, .answer = {}});
}

name_question search_for(const std::string& name, const wait_limit& limit) {
  require_valid(limit);
  require_name(name);
  return question_of(lookup_name{.name = name, .limit = limit, .answer = {}});
}

// -- answers --------------------------------------------------------------------------------------

const error_info* failure_of(const name_reply& reply) noexcept {
  return std::get_if<error_info>(&reply.content);
}

ObjectRef<void> reference_in(const node_core& core, const std::string& name,
                             const name_reply& found, std::string_view wanted) {
  return reference_in(core, name, std::get<named_content>(found.content), wanted);
}

caf::strong_actor_ptr actor_in(const node_core& core, const std::string& name,
                               const name_reply& found, const std::set<std::string>& wanted) {
  return actor_in(core, name, std::get<named_content>(found.content), wanted);
}

// -- asking ---------------------------------------------------------------------------------------

void ask_for_change(node_core& core, const name_question& question) {
  auto failure = std::visit(
    [&](const auto& asked) -> publish_answer {
      if constexpr (std::is_same_v<decltype(asked), const lookup_name&>)
        return std::nullopt; // changes nothing
      else
        return ask<publish_answer>(core, asked);
    },
    question->content);
  if (failure)
    throw object_error{*std::move(failure)};
}

ObjectRef<void> look_up_reference(node_core& core, const std::string& name, const wait_limit& limit,
                                  std::string_view wanted) {
  return reference_in(core, name, look_up(core, name, limit), wanted);
}

caf::strong_actor_ptr look_up_actor(node_core& core, const std::string& name,
                                    const wait_limit& limit, const std::set<std::string>& wanted) {
  return actor_in(core, name, look_up(core, name, limit), wanted);
}

void ask_in_actor(node_core& core, caf::scheduled_actor& self, response_order order,
                  const name_question& question, std::function<void(const name_reply&)> on_reply) {
  start_names(core);
  auto id = self.new_request_id(caf::message_priority::normal);
  auto asker = std::make_shared<asking_actor>(caf::actor_cast<caf::strong_actor_ptr>(&self), id,
                                              core.shutting_down_error());
  caf::behavior handler{[on_reply = std::move(on_reply)](const name_reply& answer) {
    on_reply(answer);
  }};
  if (order == response_order::awaited)
    self.add_awaited_response_handler(id.response_id(), std::move(handler));
  else
    self.add_multiplexed_response_handler(id.response_id(), std::move(handler));
  std::visit(
    [&](auto asked) {
      asked.answer = std::move(asker);
      // Without it, the answer says that the node has shut down: it goes with the question.
      if (node_core::services_use use{core})
        caf::anon_send(core.cluster(), std::move(asked));
    },
    question->content);
}

} // namespace mobula::internal
