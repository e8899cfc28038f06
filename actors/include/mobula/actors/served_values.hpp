#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "mobula/actors/transfer_port.hpp"

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
class served_values final : public transfer_source {
public:
  /// The bytes stay as they are while `keeper` lives, but for those that have not arrived yet and
  /// are not asked for.
  void keep(const object_id& id, std::span<const std::byte> bytes,
            std::shared_ptr<const void> keeper);

  void let_go(const object_id& id);

  void let_all_go();

  [[nodiscard]] std::optional<served_bytes> pin(const send_chunk& chunk) override;

private:
  std::mutex mutex_;
  std::unordered_map<object_id, served_bytes> values_;
};

} // namespace mobula
