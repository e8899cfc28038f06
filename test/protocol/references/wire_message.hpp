#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/references/reference_messages.hpp"

namespace mobula::test {

/// A reference inside a message or a value, as bytes would have it.
struct wire_reference {
  object_id object;
  incarnation_id sender;
  transit_number transit = transit_number::none;
  unsigned depth = 0; ///< of nesting, for the generator of workloads

  /// The promise that I1 makes covers it. Not sent in reality: the checker's own mark.
  bool sound = true;
};

struct user_message {
  std::vector<wire_reference> references;
};

/// A reader asks the owner for a value.
struct request_value {
  session_id session = session_id::none;
  std::uint64_t sequence = 0;
  std::uint64_t reading = 0;
};

enum class value_outcome : std::uint8_t { found, no_object };

struct value_reply {
  session_id session = session_id::none;
  std::uint64_t reading = 0;
  value_outcome outcome = value_outcome::found;
  std::vector<wire_reference> inner;
};

/// First message of a session, from who began it.
struct session_hello {
  session_id session = session_id::none;
};

using wire_message =
  std::variant<user_message, request_value, value_reply, session_hello, reference_message>;

[[nodiscard]] std::string to_text(const wire_message& message);

[[nodiscard]] std::string to_text(const object_id& object);

[[nodiscard]] std::string to_text(const incarnation_id& node);

} // namespace mobula::test
