// The actor that does I/O for the spill manager, in a thread of its own, since disks block. It does
// one job after the other and decides nothing.

#include "mobula/actors/spill/spill_worker.hpp"

#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/spill/spill_copy.hpp"
#include "mobula/store/spill/spill_file.hpp"

namespace mobula {

namespace {

spill_error to_spill_error(const io_failure& failure) {
  return is_disk_full(failure) ? spill_error::out_of_disk : spill_error::io_error;
}

std::optional<restore_error> to_restore_error(read_status status) {
  switch (status) {
    case read_status::intact:
      return std::nullopt;
    case read_status::failed:
      return restore_error::io_error;
    case read_status::damaged:
    case read_status::missing:
      break;
  }
  return restore_error::record_lost;
}

/// Measures a disk for the figures; no decision follows from it.
class stopwatch {
public:
  [[nodiscard]] std::chrono::nanoseconds elapsed() const {
    return std::chrono::steady_clock::now() - start_;
  }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Counts no messages: the manager counts its answers.
class spill_worker_state : public service_state<spill_worker_actor, service_kind::spill_worker> {
public:
  void init(const spill_manager_actor& manager) {
    manager_ = manager;
  }

  behavior_type handlers() {
    return {
      uncounted<&spill_worker_state::write>(), uncounted<&spill_worker_state::move>(),
      uncounted<&spill_worker_state::read>(),  uncounted<&spill_worker_state::remove>(),
      uncounted<&spill_worker_state::stop>(),
    };
  }

  void write(const write_records_to& job) {
    const stopwatch watch;
    if (auto failure = prepare(job)) {
      self_->send(manager_, batch_finished{.batch = job.batch,
                                           .outcome = {0, to_spill_error(*failure)},
                                           .failure = std::move(failure),
                                           .took = watch.elapsed()});
      return;
    }
    std::vector<std::vector<std::byte>> headers;
    std::vector<record_view> views;
    headers.reserve(job.records.size());
    views.reserve(job.records.size());
    for (const auto& record : job.records) {
      auto metadata = record.metadata;
      std::span<const std::byte> data = record.copy->storage();
      metadata.checksum = checksum_of(data);
      headers.push_back(encode(metadata));
      views.push_back({.id = record.id,
                       .metadata = headers.back(),
                       .data = data,
                       .data_hash = metadata.checksum});
    }
    auto written = write_records(job.file, job.offset_bytes, views, sync_policy::begin);
    batch_finished answer{.batch = job.batch,
                          .outcome = {written.records_written, {}},
                          .failure = {},
                          .took = watch.elapsed()};
    if (written.failure) {
      answer.outcome.error = to_spill_error(*written.failure);
      answer.failure = std::move(written.failure);
    }
    self_->send(manager_, std::move(answer));
  }

  void move(const move_records_to& job) {
    if (auto failure = prepare(job)) {
      self_->send(manager_, batch_moved{.batch = job.batch,
                                        .outcome = {{}, to_spill_error(*failure)},
                                        .failure = std::move(failure)});
      return;
    }
    auto copied =
      copy_records(job.from_file, job.records, job.file, job.offset_bytes, sync_policy::begin);
    batch_moved answer{
      .batch = job.batch, .outcome = {std::move(copied.records), {}}, .failure = {}};
    if (copied.failure) {
      answer.outcome.error = to_spill_error(*copied.failure);
      answer.failure = std::move(copied.failure);
    }
    self_->send(manager_, std::move(answer));
  }

  void read(const read_records_from& job) {
    const stopwatch watch;
    std::vector<std::vector<std::byte>> headers;
    std::vector<wanted_record> wanted;
    headers.reserve(job.records.size());
    wanted.reserve(job.records.size());
    for (const auto& record : job.records)
      wanted.push_back({record.id,
                        {.metadata = headers.emplace_back(record.metadata_bytes),
                         .data = record.copy->storage()}});
    auto results = read_records_at(job.file, job.offset_bytes, wanted);
    records_read answer;
    answer.directory = job.directory;
    answer.records.reserve(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      answer.records.push_back({wanted[i].id, to_restore_error(results[i].status)});
      if (auto& failure = results[i].failure)
        answer.failure = std::move(failure);
    }
    answer.took = watch.elapsed();
    self_->send(manager_, std::move(answer));
  }

  void remove(const remove_spill_file& job) {
    self_->send(
      manager_,
      file_removed{.directory = job.directory, .file = job.id, .failure = remove_file(job.file)});
  }

private:
  /// Sees to it that a new file belongs to a living node in the eyes of others.
  template <class Job>
  static std::optional<io_failure> prepare(const Job& job) {
    return job.offset_bytes == 0 ? job.claims->renew(job.directory) : std::nullopt;
  }

  spill_manager_actor manager_;
};

} // namespace

spill_worker_actor spawn_spill_worker(node_core& core, const spill_manager_actor& manager) {
  auto worker = core.simulation() != nullptr
                  ? start_service<spill_worker_state>(core, manager)
                  : start_service<spill_worker_state, caf::hidden + caf::detached>(core, manager);
  core.spill_worker_started(caf::actor_cast<caf::strong_actor_ptr>(worker));
  return worker;
}

} // namespace mobula
