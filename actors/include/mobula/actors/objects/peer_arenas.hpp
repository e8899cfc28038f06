#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <utility>
#include <variant>

#include "mobula/actors/objects/reading_in_place.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/arena_reader.hpp"
#include "mobula/store/arena/host_identity.hpp"

namespace mobula {

/// What a node tells others of its arena, for those who may be able to read there.
struct arena_address {
  host_identity host;
  std::string path;

  friend bool operator==(const arena_address&, const arena_address&) = default;
};

/// Where others get at a node's values.
struct peer_addresses {
  arena_address arena;
  data_endpoint data;
};

/// The arenas of other nodes that this one can read in place.
///
/// *Proof.* That both run on one host is guessed from what they say of themselves, and then proved:
/// the file can be opened, its header bears the peer's incarnation, which are 128 random bits that
/// only members are told, and the kernel says that a living process has it locked as its own, which
/// a copy of the file or the arena of a dead node is not. What fails costs nothing but the detour
/// through a message.
///
/// | field   | raised by                          | lowered by                                |
/// |---------|------------------------------------|-------------------------------------------|
/// | peers_  | `session_opened`                   | `session_closed`, `close`                 |
/// | former_ | `session_closed`, while it is used | the next `session_opened` of that node, or |
/// |         |                                    | any `session_closed` after its last use   |
///
/// *Bounds*: by the cluster's nodes, and by the nodes whose values are still read here.
///
/// An arena is opened when it is first asked for, and stays mapped while the session lasts or any
/// value in it is kept. What fails for want of something that may be there later (a place among the
/// arena's readers, a descriptor, memory) is tried again, by `retry`. Thread-safe.
class peer_arenas {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What is in the way is mostly so for longer, and each question to the owner would try again.
  static constexpr auto retry_pause = std::chrono::seconds{1};

  /// For a node whose own arena is in `arena_directory`.
  peer_arenas(std::string arena_directory, reading_in_place reading) noexcept
    : arena_directory_(std::move(arena_directory)), reading_(reading) {
    // nop
  }

  peer_arenas(const peer_arenas&) = delete;
  peer_arenas& operator=(const peer_arenas&) = delete;

  /// Returns the host that this node finds itself on.
  [[nodiscard]] host_identity own_host() const;

  // -- the cluster actor --------------------------------------------------------------------------

  void session_opened(const incarnation_id& node, arena_address address);

  void session_closed(const incarnation_id& node);

  /// Tries once more to open an arena that could not be opened for now, unless that was tried less
  /// than `retry_pause` ago. Called where a question to its owner is under way anyway, and not by
  /// readers: it takes a hundred system calls.
  void retry(const incarnation_id& node, time_point now);

  void close();

  // -- any thread ---------------------------------------------------------------------------------

  /// Returns the way into a node's arena; null if there is none.
  [[nodiscard]] std::shared_ptr<arena_reader> reader_of(const incarnation_id& node);

private:
  enum class state : std::uint8_t { untried, open, refused, unreachable };

  struct peer_arena {
    arena_address address;
    state known = state::untried;
    std::shared_ptr<arena_reader> reader; ///< set while open
    time_point next_try{};                ///< once refused
  };

  /// Why an arena cannot be opened: for now, or as long as there is this session.
  struct obstacle {
    std::string why; ///< empty if nobody expects that it can
    bool passing = false;
  };

  using opened_arena = std::variant<std::shared_ptr<arena_reader>, obstacle>;

  [[nodiscard]] opened_arena open(const incarnation_id& node, const arena_address& address) const;
  [[nodiscard]] static opened_arena open_proved(const incarnation_id& node,
                                                const std::string& path);
  static void settle(const incarnation_id& node, peer_arena& peer, opened_arena opened);

  const std::string arena_directory_;
  const reading_in_place reading_;
  std::shared_mutex mutex_;
  std::map<incarnation_id, peer_arena> peers_;
  std::map<incarnation_id, std::weak_ptr<arena_reader>> former_;
};

} // namespace mobula
