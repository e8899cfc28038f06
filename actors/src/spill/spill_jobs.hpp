#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <unordered_map>
#include <vector>

#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/spill/spill_worker.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/spill/spill_claim.hpp"
#include "mobula/store/spill/spill_effects.hpp"

namespace mobula {

/// The part of the spill manager that gives the I/O workers their jobs, and knows for that which
/// copies they are about. Workers take turns; removals have one of their own, since they must not
/// wait for a slow write.
class spill_jobs {
public:
  using self_pointer = spill_manager_actor::pointer;

  struct known_copy {
    copy_pointer copy;
    mobula::metadata metadata;
    std::uint64_t metadata_bytes = 0;
  };

  /// Starts the workers, unless no directory is claimed. REQUIRES: the node outlives this.
  spill_jobs(node_core& core, self_pointer self, std::shared_ptr<spill_claims> claims);

  spill_jobs(const spill_jobs&) = delete;
  spill_jobs& operator=(const spill_jobs&) = delete;

  /// Returns whether there is a directory to write to.
  [[nodiscard]] bool has_workers() const noexcept {
    return !workers_.empty();
  }

  // -- copies -------------------------------------------------------------------------------------

  void know(const object_id& id, known_copy copy) {
    copies_.insert_or_assign(id, std::move(copy));
  }

  /// REQUIRES: it was told of, and not forgotten.
  [[nodiscard]] const known_copy& known(const object_id& id) const {
    return copies_.at(id);
  }

  void forget(const object_id& id) {
    copies_.erase(id);
  }

  // -- jobs ---------------------------------------------------------------------------------------

  void begin(const write_batch& effect);
  void begin(const move_records& effect);
  void begin(const read_records& effect);
  void begin(const delete_file& effect);

  [[nodiscard]] std::filesystem::path path_of(spill_directory directory, spill_file_id file) const;

private:
  const spill_worker_actor& next_worker() {
    return workers_[next_worker_++ % workers_.size()];
  }

  node_core& core_;
  self_pointer self_;
  std::shared_ptr<spill_claims> claims_;
  std::unordered_map<object_id, known_copy> copies_;
  std::vector<spill_worker_actor> workers_;
  spill_worker_actor remover_;
  std::size_t next_worker_ = 0;
};

} // namespace mobula
