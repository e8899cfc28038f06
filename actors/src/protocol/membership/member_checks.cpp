// The checks of what other nodes say of membership. Each returns the first fault it finds, named as
// the field is, with its value.

#include "mobula/actors/protocol/membership/member_checks.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "mobula/serialization/text_beginning.hpp"

namespace mobula {

namespace {

using fault = std::optional<std::string>;

/// Bytes above 0x7f may be parts of letters.
bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

/// What people are shown in logs and by commands must not drive their terminals.
fault fault_of_text(std::string_view what, std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    return fmt::format("its {} has {} bytes, more than {}", what, text.size(), max_bytes);
  if (std::ranges::any_of(text, is_control))
    return fmt::format("its {}, \"{}\", has characters that cannot be shown", what,
                       printable(text));
  return std::nullopt;
}

fault fault_of_node(std::string_view what, const incarnation_id& node) {
  if (node.empty())
    return fmt::format("its {} has no incarnation", what);
  return std::nullopt;
}

fault fault_of_endpoint(const endpoint& where) {
  if (!can_be_address(where.address))
    return fmt::format("\"{}\" is no address", printable(where.address));
  if (where.port == 0)
    return fmt::format("nothing listens at port 0 of {}", where.address);
  return std::nullopt;
}

fault fault_of_endpoints(std::span<const endpoint> endpoints) {
  if (endpoints.size() > member_limits::endpoints)
    return fmt::format("it names {} addresses of one node, more than {}", endpoints.size(),
                       member_limits::endpoints);
  for (const auto& where : endpoints)
    if (auto found = fault_of_endpoint(where))
      return found;
  return std::nullopt;
}

fault fault_of_control(std::span<const endpoint> control) {
  if (control.empty())
    return "it names no address where a node can be dialed";
  return fault_of_endpoints(control);
}

fault fault_of_path(const std::string& path) {
  if (auto found = fault_of_text("arena's path", path, member_limits::path_bytes))
    return found;
  if (!path.empty() && path.front() != '/')
    return fmt::format("its arena's path, \"{}\", is not absolute", printable(path));
  return std::nullopt;
}

fault fault_of_record(const node_record& record) {
  if (auto found = fault_of_node("record", record.incarnation))
    return found;
  if (auto found = fault_of_text("name", record.name, member_limits::name_bytes))
    return found;
  if (auto found = fault_of_text("boot id", record.host.boot_id, member_limits::boot_id_bytes))
    return found;
  if (record.process_id < 0)
    return fmt::format("its process cannot have the number {}", record.process_id);
  if (auto found = fault_of_control(record.control))
    return found;
  // None, if it serves no bytes.
  if (auto found = fault_of_endpoints(record.data.where))
    return found;
  return fault_of_path(record.arena_path);
}

fault fault_of_hints(std::span<const member_hint> hints) {
  if (hints.size() > member_limits::nodes)
    return fmt::format("it names {} nodes, more than {}", hints.size(), member_limits::nodes);
  for (const auto& hint : hints) {
    if (auto found = fault_of_node("list of members", hint.incarnation))
      return found;
    if (auto found = fault_of_control(hint.control))
      return found;
  }
  return std::nullopt;
}

/// Numbers the fields of sessions that have begun.
fault fault_of_session(std::string_view what, session_id session) {
  auto number = static_cast<std::uint64_t>(session);
  if (number == 0)
    return fmt::format("its {} is 0, which stands for none", what);
  if (number > member_limits::max_session)
    return fmt::format("its {} is {}, and no node has counted so far", what, number);
  return std::nullopt;
}

fault check(const hello& message) {
  if (auto found = fault_of_record(message.record))
    return found;
  // A session that is to end needs no check: it is compared with the one there is.
  return fault_of_session("proposal", message.proposal);
}

fault check(const welcome& message) {
  if (auto found = fault_of_record(message.record))
    return found;
  if (auto found = fault_of_session("session", message.session))
    return found;
  return fault_of_hints(message.members);
}

fault check(const crossed& message) {
  return fault_of_node("sender", message.sender);
}

fault check(const already_connected& message) {
  if (auto found = fault_of_node("sender", message.sender))
    return found;
  return fault_of_session("session", message.session);
}

/// Shown to people in any case. The reason may be one that a later version has: nothing is
/// concluded from it.
fault check(const refused&) {
  return std::nullopt;
}

fault check(const members_changed& message) {
  if (auto found = fault_of_hints(message.connected))
    return found;
  if (message.disconnected.size() > member_limits::nodes)
    return fmt::format("it names {} nodes, more than {}", message.disconnected.size(),
                       member_limits::nodes);
  for (const auto& node : message.disconnected)
    if (auto found = fault_of_node("list of nodes that are gone", node))
      return found;
  return std::nullopt;
}

/// Compared with the session there is, and nothing else.
fault check(const session_over&) {
  return std::nullopt;
}

fault check(const leave_cluster&) {
  return std::nullopt;
}

} // namespace

bool can_be_address(std::string_view text) noexcept {
  return !text.empty() && text.size() <= member_limits::address_bytes
         && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<std::string> fault_of(const member_message& message) {
  return std::visit([](const auto& content) { return check(content); }, message);
}

std::string_view name_of(const member_message& message) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<member_message>> names{
    "hello",   "welcome",         "crossed",      "already_connected",
    "refused", "members_changed", "session_over", "leave_cluster"};
  return names[message.index()];
}

std::string printable(std::string_view text) {
  auto too_long = text.size() > member_limits::text_bytes;
  std::string result{beginning_of(text, member_limits::text_bytes)};
  std::ranges::replace_if(result, is_control, '?');
  if (too_long)
    result += "...";
  return result;
}

} // namespace mobula
