// Maps the arenas of other nodes of the host, each when somebody first reads there: once its header
// has named the node and a lock has proved that the node lives.

#include "mobula/actors/objects/peer_arenas.hpp"

#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/membership/network_address.hpp"

namespace mobula {

host_identity peer_arenas::own_host() const {
  return identify_host(options_.arena_directory);
}

void peer_arenas::session_opened(const incarnation_id& node, arena_address address) {
  std::unique_lock guard{mutex_};
  peer_arena peer{.address = std::move(address), .known = state::untried, .reader = nullptr};
  if (auto known = former_.extract(node))
    if (auto reader = known.mapped().lock()) {
      peer.known = state::open;
      peer.reader = std::move(reader);
    }
  peers_.insert_or_assign(node, std::move(peer));
}

void peer_arenas::session_closed(const incarnation_id& node) {
  std::unique_lock guard{mutex_};
  if (auto known = peers_.extract(node); known && known.mapped().reader != nullptr)
    former_[node] = known.mapped().reader;
  std::erase_if(former_, [](const auto& each) { return each.second.expired(); });
}

/// Nobody else opens the arena meanwhile: readers open only what was never tried, and sessions
/// begin and end in the actor that calls this. So no reader has to wait for the system calls.
void peer_arenas::retry(const incarnation_id& node, time_point now) {
  arena_address address;
  {
    std::shared_lock guard{mutex_};
    auto known = peers_.find(node);
    if (known == peers_.end() || known->second.known != state::refused
        || now < known->second.next_try)
      return;
    address = known->second.address;
  }
  auto opened = open(node, address);
  std::unique_lock guard{mutex_};
  auto known = peers_.find(node);
  if (known == peers_.end() || known->second.known != state::refused)
    return;
  known->second.next_try = now + retry_pause;
  settle(node, known->second, std::move(opened));
}

void peer_arenas::close() {
  std::unique_lock guard{mutex_};
  peers_.clear();
  former_.clear();
}

std::shared_ptr<arena_reader> peer_arenas::reader_of(const incarnation_id& node) {
  {
    std::shared_lock guard{mutex_};
    auto known = peers_.find(node);
    if (known == peers_.end() || known->second.known != state::untried)
      return known == peers_.end() ? nullptr : known->second.reader;
  }
  std::unique_lock guard{mutex_};
  auto known = peers_.find(node);
  if (known == peers_.end())
    return nullptr;
  if (known->second.known == state::untried)
    settle(node, known->second, open(node, known->second.address));
  return known->second.reader;
}

/// Opens the arena of a living node, or tells why that is not possible.
peer_arenas::opened_arena peer_arenas::open(const incarnation_id& node,
                                            const arena_address& address) const {
  if (options_.same_host_reading == reading_in_place::off || address.path.empty()
      || address.host != own_host())
    return obstacle{};
  return open_proved(node, address.path);
}

peer_arenas::opened_arena peer_arenas::open_proved(const incarnation_id& node,
                                                   const std::string& path) {
  auto opened = arena_reader::open(path);
  auto* reader = std::get_if<std::unique_ptr<arena_reader>>(&opened);
  if (reader == nullptr)
    return std::visit(
      []<class Content>(const Content& content) -> obstacle {
        if constexpr (requires { explain(content); })
          return {explain(content), !std::is_same_v<Content, arena_refusal>};
        else
          return {};
      },
      opened);
  if ((*reader)->layout().incarnation != node)
    return obstacle{fmt::format("{} is the arena of another node", path)};
  if (!(*reader)->owner_lives())
    return obstacle{fmt::format("{} has no living owner", path)};
  return std::shared_ptr<arena_reader>{std::move(*reader)};
}

/// REQUIRES: the mutex is held.
void peer_arenas::settle(const incarnation_id& node, peer_arena& peer, opened_arena opened) {
  auto first_try = peer.known == state::untried;
  if (const auto* why_not = std::get_if<obstacle>(&opened)) {
    peer.known = why_not->passing ? state::refused : state::unreachable;
    if (first_try && !why_not->why.empty())
      log_info(fmt::format("values of node {} are not read in place, although it says that it is "
                           "on this host: {}",
                           to_string(node), why_not->why));
    return;
  }
  peer.reader = std::get<std::shared_ptr<arena_reader>>(std::move(opened));
  peer.known = state::open;
}

} // namespace mobula
