// Maps the arenas of other nodes of the host, each when somebody first reads there: once its header
// has named the node and a lock has proved that the node lives.

#include "mobula/actors/foreign_arenas.hpp"

#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/network_address.hpp"

namespace mobula {

namespace {

/// Why an arena cannot be opened: for now, or as long as there is this session.
struct arena_obstacle {
  std::string why;
  bool passing = false;
};

using opened_arena = std::variant<std::shared_ptr<arena_reader>, arena_obstacle>;

/// Opens the arena of a living node. Returns why that is not possible.
opened_arena open_proved(const std::string& path, const incarnation_id& node) {
  auto opened = arena_reader::open(path);
  auto* reader = std::get_if<std::unique_ptr<arena_reader>>(&opened);
  if (reader == nullptr)
    return std::visit(
      []<class Content>(const Content& content) -> arena_obstacle {
        if constexpr (requires { explain(content); })
          return {explain(content), !std::is_same_v<Content, arena_refusal>};
        else
          return {};
      },
      opened);
  if ((*reader)->layout().incarnation != node)
    return arena_obstacle{fmt::format("{} is the arena of another node", path)};
  if (!(*reader)->owner_lives())
    return arena_obstacle{fmt::format("{} has no living owner", path)};
  return std::shared_ptr<arena_reader>{std::move(*reader)};
}

} // namespace

host_identity foreign_arenas::own_host() const {
  return identify_host(options_.arena_directory);
}

void foreign_arenas::session_opened(const incarnation_id& node, arena_address address) {
  std::unique_lock guard{mutex_};
  peer_arena peer{.address = std::move(address), .known = state::untried, .reader = nullptr};
  if (auto known = former_.extract(node))
    if (auto reader = known.mapped().lock()) {
      peer.known = state::open;
      peer.reader = std::move(reader);
    }
  peers_.insert_or_assign(node, std::move(peer));
}

void foreign_arenas::session_closed(const incarnation_id& node) {
  std::unique_lock guard{mutex_};
  if (auto known = peers_.extract(node); known && known.mapped().reader != nullptr)
    former_[node] = known.mapped().reader;
  std::erase_if(former_, [](const auto& each) { return each.second.expired(); });
}

void foreign_arenas::retry(const incarnation_id& node) {
  {
    std::shared_lock guard{mutex_};
    auto known = peers_.find(node);
    if (known == peers_.end() || known->second.known != state::refused)
      return;
  }
  std::unique_lock guard{mutex_};
  if (auto known = peers_.find(node);
      known != peers_.end() && known->second.known == state::refused)
    open(node, known->second);
}

void foreign_arenas::close() {
  std::unique_lock guard{mutex_};
  peers_.clear();
  former_.clear();
}

std::shared_ptr<arena_reader> foreign_arenas::reader_of(const incarnation_id& node) {
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
    open(node, known->second);
  return known->second.reader;
}

/// REQUIRES: the mutex is held.
void foreign_arenas::open(const incarnation_id& node, peer_arena& peer) {
  auto first_try = std::exchange(peer.known, state::unreachable) == state::untried;
  if (options_.same_host_reading == reading_in_place::off || peer.address.path.empty()
      || peer.address.host != own_host())
    return;
  auto opened = open_proved(peer.address.path, node);
  if (auto* obstacle = std::get_if<arena_obstacle>(&opened)) {
    if (obstacle->passing)
      peer.known = state::refused;
    if (first_try)
      log_info(fmt::format("values of node {} are not read in place, although it says that it is "
                           "on this host: {}",
                           to_string(node), obstacle->why));
    return;
  }
  peer.reader = std::get<std::shared_ptr<arena_reader>>(std::move(opened));
  peer.known = state::open;
}

} // namespace mobula
