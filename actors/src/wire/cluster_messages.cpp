// Names the types of membership messages, which are part of the protocol, and packs a hello so that
// a node that speaks another version gets an answer instead of a decoding error.

#include "mobula/actors/wire/cluster_messages.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include "mobula/actors/caf/message_registry.hpp"
#include "mobula/store/system/assertion.hpp"
#include "mobula/version.hpp"

namespace mobula {

namespace {

/// Version of all that nodes tell each other. Raised with each change that the other side must know
/// of.
constexpr std::uint32_t protocol_version = 7;

} // namespace

dialect dialect_of(std::string cluster) {
  return {.cluster = std::move(cluster),
          .protocol_version = protocol_version,
          .library_version = MOBULA_VERSION_STRING};
}

hello_envelope seal(const hello& content) {
  hello_envelope result{.speaks = content.speaks, .body = {}};
  caf::binary_serializer sink{nullptr, result.body};
  auto copy = content;
  auto error = sink(copy.record, copy.proposal, copy.ends);
  MOBULA_ASSERT(!error);
  return result;
}

hello open(const hello_envelope& envelope, const dialect& ours) {
  hello result{.speaks = envelope.speaks, .record = {}};
  if (envelope.speaks != ours)
    return result;
  caf::binary_deserializer source{nullptr, envelope.body};
  if (auto error = source(result.record, result.proposal, result.ends))
    result.record = {};
  return result;
}

void add_cluster_messages(caf::actor_system_config& config) {
  add_messages<hello_envelope, welcome, crossed, already_connected, refused, members_changed,
               session_over, leave_cluster>(config);
}

} // namespace mobula
