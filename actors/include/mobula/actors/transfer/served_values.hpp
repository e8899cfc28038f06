#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/store/port/transfer_port.hpp"

namespace mobula {

/// The values that this node sends to others at this moment, each kept where it is, for the port
/// that takes the bytes from there.
///
/// | field   | raised by | lowered by |
/// |---------|-----------|------------|
/// | values_ | `keep`    | `let_go`   |
///
/// *Bounds*: the objects of the push table. Thread-safe: the owner keeps and lets go, the port's
/// threads take. A chunk on its way out has a share in what keeps its value, so that its bytes stay
/// until they are with the system, whatever becomes of the rest.
///
/// What is on disk is sent from its spill file: each chunk is read when its turn comes, and the
/// first one of a value verifies all of it. A file may be gone by then, or its record damaged:
/// whoever sends the value learns it from `let_go`.
class served_values final : public transfer_source {
public:
  /// What was found out about a value that is sent.
  enum class found_out : std::uint8_t { nothing, unreadable };

  /// The bytes stay as they are while `keeper` lives, but for those that have not arrived yet and
  /// are not asked for.
  void keep(const object_id& id, std::span<const std::byte> bytes,
            std::shared_ptr<const void> keeper);

  void keep_on_disk(const object_id& id, record_place place);

  found_out let_go(const object_id& id);

  void let_all_go();

  [[nodiscard]] std::optional<served_bytes> pin(const send_chunk& chunk) override;

private:
  /// Written by the port's patient thread only, and by `let_go` and its like once that is done.
  struct served_file {
    record_place place;
    std::atomic<bool> verified = false;
    std::atomic<bool> unreadable = false;
  };

  struct served_value {
    served_bytes in_memory;
    std::shared_ptr<served_file> on_disk; ///< null: in memory
  };

  static std::optional<served_bytes> part_of(const served_bytes& value, const object_range& range);
  static std::optional<served_bytes> part_of(served_file& value, const object_range& range);

  std::mutex mutex_;
  std::unordered_map<object_id, served_value> values_;
};

} // namespace mobula
