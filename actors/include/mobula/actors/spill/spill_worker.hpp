#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/spill/spill_manager.hpp"
#include "mobula/store/spill/spill_claim.hpp"

namespace mobula {

/// One object to be written.
struct record_to_write {
  object_id id;
  copy_pointer copy;
  mobula::metadata metadata;
};

/// Asks for one write; answered by `batch_finished`.
struct write_records_to {
  spill_batch_id batch{};
  std::shared_ptr<spill_claims> claims;
  spill_directory directory{};
  std::filesystem::path file;
  std::uint64_t offset_bytes = 0;
  std::vector<record_to_write> records;
};

/// Asks for records to be copied to another file; answered by `batch_moved`.
struct move_records_to {
  spill_batch_id batch{};
  std::shared_ptr<spill_claims> claims;
  spill_directory directory{};
  std::filesystem::path from_file;
  std::filesystem::path file;
  std::uint64_t offset_bytes = 0;
  std::vector<moving_record> records;
};

/// One object to be read into the memory of `copy`.
struct record_to_restore {
  object_id id;
  std::uint64_t metadata_bytes = 0;
  copy_pointer copy;
};

/// Asks for one read of records that lie side by side; answered by `records_read`.
struct read_records_from {
  spill_directory directory{};
  std::filesystem::path file;
  std::uint64_t offset_bytes = 0;
  std::vector<record_to_restore> records;
};

/// Asks for a file to be removed; answered by `file_removed`.
struct remove_spill_file {
  spill_directory directory{};
  spill_file_id id{};
  std::filesystem::path file;
};

/// Does one piece of disk I/O after the other, on a thread of its own: no other actor ever waits
/// for a disk. Under the test coordinator it is an actor like any other.
using spill_worker_actor =
  caf::typed_actor<takes<write_records_to>, takes<move_records_to>, takes<read_records_from>,
                   takes<remove_spill_file>, takes<shut_down>>;

/// Starts a worker that answers to the spill manager `manager`.
spill_worker_actor spawn_spill_worker(node_core& core, const spill_manager_actor& manager);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::write_records_to)
MOBULA_LOCAL_MESSAGE(mobula::move_records_to)
MOBULA_LOCAL_MESSAGE(mobula::read_records_from)
MOBULA_LOCAL_MESSAGE(mobula::remove_spill_file)
