#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/name_table.hpp"
#include "mobula/actors/traveling_incarnation.hpp"

/// What is said of names: between nodes, and within one. Each type that may cross a connection is
/// named in `add_name_messages` (name_messages.cpp), and nowhere else.

namespace mobula {

// -- between nodes
// ----------------------------------------------------------------------------------

/// Names one question of the node that asks.
enum class search_number : std::uint64_t {};

/// To the publisher: what does this name stand for?
struct find_name {
  session_id session = session_id::none;
  search_number search{};
  std::string name;
};

/// From the publisher, once for each question. What the name stands for is a message of its own, so
/// that references and actors in it travel as in any other; empty if the name was taken back.
struct name_found {
  session_id session = session_id::none;
  search_number search{};
  caf::message content;
};

/// Makes these types known to systems that run with `config`.
void add_name_messages(caf::actor_system_config& config);

// -- within a node
// ----------------------------------------------------------------------------------

struct publish_name {
  std::string name;
  std::string about; ///< what it stands for, in words that all nodes are told
  caf::message content;
  /// Set to why not, or to nothing.
  std::shared_ptr<std::promise<std::optional<error_info>>> answer;
  /// The object, if it is one: for reports, to which the content is closed.
  object_id object{};
};

struct unpublish_name {
  std::string name;
  std::shared_ptr<std::promise<std::optional<error_info>>> answer;
};

/// What a lookup found.
struct named_content {
  std::string about;
  incarnation_id publisher;
  caf::message content;
};

using name_answer = std::variant<named_content, error_info>;

struct lookup_name {
  std::string name;
  /// How long to wait for somebody to publish it: nothing means as long as it takes, zero or less
  /// not at all.
  std::optional<std::chrono::nanoseconds> limit;
  std::shared_ptr<std::promise<name_answer>> answer;
};

// -- inspection
// -------------------------------------------------------------------------------------

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, withdrawn_name& x) {
  return f(caf::meta::type_name("mobula::withdrawn_name"), x.name, x.number);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, published_name& x) {
  // As text: CAF reads bytes one by one into variables without a value, which compilers notice.
  const auto* begin = reinterpret_cast<const char*>(x.payload.data());
  std::string payload{begin, begin + x.payload.size()};
  if constexpr (Inspector::writes_state) {
    if (auto error = f(x.name, x.number, payload))
      return error;
    const auto* bytes = reinterpret_cast<const std::byte*>(payload.data());
    x.payload.assign(bytes, bytes + payload.size());
    return {};
  } else {
    return f(caf::meta::type_name("mobula::published_name"), x.name, x.number, payload);
  }
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, names_changed& x) {
  return f(caf::meta::type_name("mobula::names_changed"), x.session, x.withdrawn, x.published);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, find_name& x) {
  return f(caf::meta::type_name("mobula::find_name"), x.session, x.search, x.name);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, name_found& x) {
  return f(caf::meta::type_name("mobula::name_found"), x.session, x.search, x.content);
}

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::publish_name)
MOBULA_LOCAL_MESSAGE(mobula::unpublish_name)
MOBULA_LOCAL_MESSAGE(mobula::lookup_name)
