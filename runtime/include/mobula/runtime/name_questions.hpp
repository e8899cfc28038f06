#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/object_ref.hpp"
#include "mobula/runtime/actor_reading.hpp"
#include "mobula/wait_limit.hpp"

// What `node` does for names, and the functions for actors in mobula/names.hpp, without their
// templates and without the messages. All of these throw `object_error`.

namespace mobula {

struct name_reply;

} // namespace mobula

namespace mobula::internal {

/// An actor and what it takes; the latter is empty for one without static type.
struct published_actor {
  caf::strong_actor_ptr handle;
  std::set<std::string> interface;
};

/// Returns what an actor of this type takes, in the words of the node's actor system. Throws
/// `object_error` (`shutting_down`) once the node has shut down: that system may be gone then.
template <class Handle>
[[nodiscard]] std::set<std::string> interface_of(node_core& core) {
  if (node_core::services_use use{core})
    return core.system().template message_types<Handle>();
  throw object_error{core.shutting_down_error()};
}

/// What is asked. Constant, so that a request and its copies may share it.
struct asked_of_names;
using name_question = std::shared_ptr<const asked_of_names>;

// -- questions ------------------------------------------------------------------------------------

/// Asks for a name that nobody has.
[[nodiscard]] name_question publication_of(const node_core& core, const std::string& name,
                                           const ObjectRef<void>& ref);
[[nodiscard]] name_question publication_of(const node_core& core, const std::string& name,
                                           const published_actor& actor);

/// The same, or for one that this node has.
[[nodiscard]] name_question republication_of(const node_core& core, const std::string& name,
                                             const ObjectRef<void>& ref);
[[nodiscard]] name_question republication_of(const node_core& core, const std::string& name,
                                             const published_actor& actor);

[[nodiscard]] name_question withdrawal_of(const std::string& name);

[[nodiscard]] name_question search_for(const std::string& name, const wait_limit& limit);

// -- answers --------------------------------------------------------------------------------------

/// Returns why a question failed; null if it did not.
[[nodiscard]] const error_info* failure_of(const name_reply& reply) noexcept;

/// `wanted`: the type that the object must have; empty stands for any. REQUIRES: it did not fail.
[[nodiscard]] ObjectRef<void> reference_in(const node_core& core, const std::string& name,
                                           const name_reply& found, std::string_view wanted);

/// `wanted`: what the actor must take. REQUIRES: it did not fail.
[[nodiscard]] caf::strong_actor_ptr actor_in(const node_core& core, const std::string& name,
                                             const name_reply& found,
                                             const std::set<std::string>& wanted);

// -- asking ---------------------------------------------------------------------------------------

// A node's names are kept by the actor that speaks for it in its cluster, which the first question
// starts: in a node that is in no cluster they are its own, and become the cluster's when it joins.

/// Blocks until a name was published or taken back.
void ask_for_change(node_core& core, const name_question& question);

/// Both block until the name is found; `wanted` as above.
[[nodiscard]] ObjectRef<void> look_up_reference(node_core& core, const std::string& name,
                                                const wait_limit& limit, std::string_view wanted);
[[nodiscard]] caf::strong_actor_ptr look_up_actor(node_core& core, const std::string& name,
                                                  const wait_limit& limit,
                                                  const std::set<std::string>& wanted);

/// Asks for the actor `self`, and has it call `on_reply` once as part of its own, in the order that
/// handlers of requests have. Throws `object_error` (`shutting_down`) if nobody can be asked.
void ask_in_actor(node_core& core, caf::scheduled_actor& self, response_order order,
                  const name_question& question, std::function<void(const name_reply&)> on_reply);

} // namespace mobula::internal
