#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "mobula/actors/wire/name_messages.hpp"
#include "mobula/object_ref.hpp"
#include "mobula/runtime/actor_reading.hpp"
#include "mobula/runtime/reading.hpp"

// What `node` does for names, and the functions for actors in mobula/names.hpp, without their
// templates. All of these throw `object_error`.

namespace mobula::internal {

/// An actor and what it takes; the latter is empty for one without static type.
struct published_actor {
  caf::strong_actor_ptr handle;
  std::set<std::string> interface;
};

/// The caller that waits for the answer is added to it.
using name_question = std::variant<publish_name, unpublish_name, lookup_name>;

// -- questions ------------------------------------------------------------------------------------

[[nodiscard]] publish_name publication_of(const node_core& core, const std::string& name,
                                          const ObjectRef<void>& ref, own_name if_own);

[[nodiscard]] publish_name publication_of(const node_core& core, const std::string& name,
                                          const published_actor& actor, own_name if_own);

[[nodiscard]] lookup_name search_for(const std::string& name, const wait_limit& limit);

// -- answers --------------------------------------------------------------------------------------

/// `wanted`: the type that the object must have; empty stands for any.
[[nodiscard]] ObjectRef<void> reference_in(const node_core& core, const std::string& name,
                                           const named_content& found, std::string_view wanted);

/// `wanted`: what the actor must take.
[[nodiscard]] caf::strong_actor_ptr actor_in(node_core& core, const std::string& name,
                                             const named_content& found,
                                             const std::set<std::string>& wanted);

// -- asking ---------------------------------------------------------------------------------------

// A node's names are kept by the actor that speaks for it in its cluster, which the first question
// starts: in a node that is in no cluster they are its own, and become the cluster's when it joins.

/// Both block until there is an answer.
void publish_name_of(node_core& core, publish_name question);
void unpublish_name_of(node_core& core, const std::string& name);

/// Blocks until the name is found.
[[nodiscard]] named_content look_up(node_core& core, lookup_name question);

/// Asks for the actor `self`, and has it call `on_reply` once as part of its own, in the order that
/// handlers of requests have. Throws `object_error` (`shutting_down`) if nobody can be asked.
void ask_in_actor(node_core& core, caf::scheduled_actor& self, response_order order,
                  name_question question, std::function<void(const name_reply&)> on_reply);

} // namespace mobula::internal
