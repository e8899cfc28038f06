// Borrowed values on their way over the data port: what the transfers actor is told of them.

#include "mobula/actors/exchange/value_pulls.hpp"

#include <memory>
#include <utility>

#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula {

bool value_pulls::started_already(const object_entry& entry, const object_reply& reply) {
  auto known = pulls_.find(&entry);
  if (known == pulls_.end())
    return false;
  known->second.ticket = reply.source.ticket;
  return true;
}

void value_pulls::start(object_entry& entry, const object_reply& reply, metadata_reader& reader) {
  auto copy = copy_to_pull(entry, reply, reader);
  auto source = reply.source;
  // The owner may know nodes that this one cannot reach.
  if (const auto* known = peers_.find(source.node); known == nullptr || known->data.where.empty())
    source.node = entry.id().owner;
  pulls_.emplace(&entry, pull{copy, source.ticket});
  auto priority = core_.gateway().priority_of(entry.id());
  caf::anon_send(core_.transfers(),
                 pull_value{share_use(entry), std::move(copy), priority, source});
}

void value_pulls::raise_priorities(std::span<const object_id> objects) {
  for (const auto& object : objects) {
    auto entry = core_.gateway().find_borrowed(object);
    auto known = entry ? pulls_.find(entry.get()) : pulls_.end();
    if (known != pulls_.end())
      caf::anon_send(core_.transfers(), raise_priority{known->second.copy->pulled_as,
                                                       core_.gateway().priority_of(object)});
  }
}

std::optional<value_pulls::pull> value_pulls::ended(const object_entry& entry) {
  auto pull = pulls_.extract(&entry);
  return pull.empty() ? std::nullopt : std::optional{std::move(pull.mapped())};
}

void value_pulls::stop(const object_entry& entry, release_token token) {
  auto pull = pulls_.extract(&entry);
  auto copy = pull.empty() ? copy_pointer{entry.copy()} : std::move(pull.mapped().copy);
  caf::anon_send(core_.transfers(),
                 end_pull{std::move(copy), std::make_shared<release_token>(std::move(token))});
}

bool value_pulls::has(const object_entry& entry) const {
  return pulls_.contains(&entry) || is_pulled(entry);
}

} // namespace mobula
