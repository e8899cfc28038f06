// Publishes and looks up names for threads and actors: asks the cluster actor, and makes of its
// answer what the caller wants, or says why it is something else.

#include "mobula/runtime/name_questions.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/launch/launch_node.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/protocol/names/name_table.hpp"
#include "mobula/runtime/cluster_question.hpp"

namespace mobula::internal {

namespace {

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

} // namespace

// -- questions ------------------------------------------------------------------------------------

publish_name publication_of(const node_core& core, const std::string& name,
                            const ObjectRef<void>& ref, own_name if_own) {
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

publish_name publication_of(const node_core& core, const std::string& name,
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

lookup_name search_for(const std::string& name, const wait_limit& limit) {
  require_valid(limit);
  // Nobody can publish another: it would be waited for in vain, and stand in the error.
  if (const name_config bounds{}; name.empty() || name.size() > bounds.max_name_bytes)
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("cannot look up \"{:.40}\": the name has {} bytes; use 1 to {}", name,
                              name.size(), bounds.max_name_bytes)}};
  return {.name = name, .limit = limit, .answer = {}};
}

// -- answers --------------------------------------------------------------------------------------

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

caf::strong_actor_ptr actor_in(node_core& core, const std::string& name, const named_content& found,
                               const std::set<std::string>& wanted) {
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

// -- asking ---------------------------------------------------------------------------------------

void publish_name_of(node_core& core, publish_name question) {
  if (auto failure = ask<publish_answer>(core, std::move(question)))
    throw object_error{*std::move(failure)};
}

void unpublish_name_of(node_core& core, const std::string& name) {
  if (auto failure = ask<publish_answer>(core, unpublish_name{.name = name, .answer = {}}))
    throw object_error{*std::move(failure)};
}

named_content look_up(node_core& core, lookup_name question) {
  auto limit = question.limit;
  auto answer = ask<name_answer>(core, std::move(question), limit);
  if (auto* failure = std::get_if<error_info>(&answer))
    throw object_error{std::move(*failure)};
  return std::get<named_content>(std::move(answer));
}

void ask_in_actor(node_core& core, caf::scheduled_actor& self, response_order order,
                  name_question question, std::function<void(const name_reply&)> on_reply) {
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
    [&](auto& asked) {
      asked.answer = std::move(asker);
      // Without it, the answer says that the node has shut down: it goes with the question.
      if (node_core::services_use use{core})
        caf::anon_send(core.cluster(), std::move(asked));
    },
    question);
}

} // namespace mobula::internal
