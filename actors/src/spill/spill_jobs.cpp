// What the I/O workers of a spill manager are to write, move, read and remove.

#include "spill_jobs.hpp"

#include <utility>

#include "mobula/store/spill/spill_file.hpp"

namespace mobula {

spill_jobs::spill_jobs(node_core& core, self_pointer self, std::shared_ptr<spill_claims> claims)
  : core_(core), self_(self), claims_(std::move(claims)) {
  if (claims_->empty())
    return;
  for (std::uint32_t count = 0; count < core.options().spill_workers; ++count)
    workers_.push_back(spawn_spill_worker(core, self));
  remover_ = spawn_spill_worker(core, self);
}

void spill_jobs::begin(const write_batch& effect) {
  write_records_to job{.batch = effect.batch,
                       .claims = claims_,
                       .directory = effect.directory,
                       .file = path_of(effect.directory, effect.file),
                       .offset_bytes = effect.offset_bytes,
                       .records = {}};
  for (const auto& record : effect.records) {
    const auto& copy = known(record.id);
    job.records.push_back({.id = record.id, .copy = copy.copy, .metadata = copy.metadata});
  }
  self_->send(next_worker(), std::move(job));
}

void spill_jobs::begin(const move_records& effect) {
  self_->send(next_worker(),
              move_records_to{.batch = effect.batch,
                              .claims = claims_,
                              .directory = effect.directory,
                              .from_file = path_of(effect.from_directory, effect.from_file),
                              .file = path_of(effect.directory, effect.file),
                              .offset_bytes = effect.offset_bytes,
                              .records = effect.records});
}

void spill_jobs::begin(const read_records& effect) {
  read_records_from job{.directory = effect.directory,
                        .file = path_of(effect.directory, effect.file),
                        .offset_bytes = effect.records.front().location.offset_bytes,
                        .records = {}};
  for (const auto& record : effect.records) {
    const auto& copy = known(record.id);
    job.records.push_back(
      {.id = record.id, .metadata_bytes = copy.metadata_bytes, .copy = copy.copy});
  }
  self_->send(next_worker(), std::move(job));
}

void spill_jobs::begin(const delete_file& effect) {
  self_->send(remover_, remove_spill_file{.directory = effect.directory,
                                          .id = effect.file,
                                          .file = path_of(effect.directory, effect.file)});
}

std::filesystem::path spill_jobs::path_of(spill_directory directory, spill_file_id file) const {
  const auto& options = core_.options();
  return std::filesystem::path{options.spill_directories[static_cast<std::size_t>(directory)]}
         / spill_file_name(core_.file_label(), core_.incarnation(), file);
}

} // namespace mobula
