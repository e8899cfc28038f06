// The actor that brings copies to disk and back: feeds the spill table, has I/O workers carry out
// its effects, tries again what failed, and removes all files at the end.

#include "mobula/actors/spill/spill_manager.hpp"

#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/store/spill/spill_claim.hpp"
#include "mobula/store/spill/spill_file.hpp"
#include "mobula/store/spill/spill_table.hpp"
#include "spill_jobs.hpp"

namespace mobula {

namespace {

/// How often directories that failed are tried again.
constexpr auto retry_interval = std::chrono::seconds{1};

/// How often the end of the node tries again to remove a file that it could not remove.
constexpr int max_retries_at_end = 3;

/// Sweeps and claims the directories of `core`.
std::shared_ptr<spill_claims> claim_directories(const node_core& core) {
  auto result = std::make_shared<spill_claims>();
  for (const auto& name : core.options().spill_directories) {
    auto refuse = [&](std::string_view reason) {
      throw object_error{{.type = error_type::invalid_argument,
                          .message = fmt::format("option mobula.spill-dirs names {}, which cannot "
                                                 "be used: {}; give a directory that this process "
                                                 "may write to",
                                                 name, reason)}};
    };
    std::error_code error;
    // No more than the last part of the path: with a typing error in another one, values would go
    // to a disk that nobody meant.
    std::filesystem::create_directory(name, error);
    if (error)
      refuse(fmt::format("cannot make it: {}", error.message()));
    static_cast<void>(sweep_directory(name));
    auto claim = spill_claim::make(name, core.file_label(), core.incarnation());
    if (auto* failure = std::get_if<io_failure>(&claim))
      refuse(explain(*failure));
    result->add(std::get<spill_claim>(std::move(claim)));
  }
  return result;
}

spill_config config_of(const node_options& options) {
  spill_config result;
  // Without a directory nothing is ever written; see `write`.
  result.directories = std::max<std::size_t>(1, options.spill_directories.size());
  result.max_file_bytes = options.spill_file_bytes;
  result.spill_limit_bytes = options.spill_limit_bytes;
  // Writes leave a worker to reads where there is more than one.
  result.max_writes = std::max<std::size_t>(1, options.spill_workers / 2);
  result.max_reads = options.spill_workers;
  return result;
}

class spill_manager_state : public service_state<spill_manager_actor, service_kind::spill_manager> {
public:
  void init(const std::shared_ptr<spill_claims>& claims) {
    claims_ = claims;
    timers_.attach(self_);
    jobs_.emplace(*core_, self_, claims);
    const auto& options = core_->options();
    table_.emplace(config_of(options));
    failures_.emplace(options.spill_directories);
  }

  /// Before `shutdown` may return: it promises that no file is left, even of a manager whose
  /// workers could not be started.
  void end() {
    if (claims_)
      claims_->clear();
  }

  behavior_type handlers() {
    return {
      counted<&spill_manager_state::write>(),      counted<&spill_manager_state::read>(),
      counted<&spill_manager_state::forget>(),     counted<&spill_manager_state::find>(),
      counted<&spill_manager_state::batch_done>(), counted<&spill_manager_state::move_done>(),
      counted<&spill_manager_state::read_done>(),  counted<&spill_manager_state::remove_done>(),
      uncounted<&spill_manager_state::collect>(),  uncounted<&spill_manager_state::check>(),
      uncounted<&spill_manager_state::stop>(),
    };
  }

  // -- shards -------------------------------------------------------------------------------------

  void write(write_copy& request) {
    if (!jobs_->has_workers()) {
      answer(request.copy->shard, copy_not_written{request.id, spill_error::out_of_disk, {}});
      return;
    }
    auto metadata_bytes = encoded_size(request.metadata);
    auto record_bytes = spill_record_bytes(metadata_bytes, request.copy->size_bytes);
    auto id = request.id;
    jobs_->know(id, {.copy = std::move(request.copy),
                     .metadata = std::move(request.metadata),
                     .metadata_bytes = metadata_bytes});
    table_->spill(id, record_bytes, effects_);
    run();
  }

  void read(const read_copy& request) {
    table_->restore(request.id, effects_);
    run();
  }

  void forget(const forget_copy& request) {
    table_->free(request.id, effects_);
    run();
    drop_unknown(request.id);
  }

  // -- transfers ----------------------------------------------------------------------------------

  void find(const find_record& request) {
    record_found answer{request.id, std::nullopt};
    if (auto location = table_->location_of(request.id)) {
      const auto& known = jobs_->known(request.id);
      answer.place =
        record_place{.file = jobs_->path_of(location->directory, location->file).string(),
                     .location = *location,
                     .metadata_bytes = known.metadata_bytes,
                     .data_bytes = known.copy->size_bytes};
    }
    self_->send(core_->transfers(), std::move(answer));
  }

  // -- workers ------------------------------------------------------------------------------------

  void batch_done(const batch_finished& answer) {
    writing_time_ += answer.took;
    last_failure_ = answer.failure;
    table_->batch_written(answer.batch, answer.outcome, effects_);
    run();
  }

  void move_done(const batch_moved& answer) {
    last_failure_ = answer.failure;
    table_->records_moved(answer.batch, answer.outcome, effects_);
    run();
  }

  void read_done(const records_read& answer) {
    reading_time_ += answer.took;
    // First: the text of what fails now names the cause.
    if (answer.failure)
      tell(failures_->read_failed(answer.directory, *answer.failure));
    for (const auto& [id, error] : answer.records) {
      if (error)
        table_->read_failed(id, *error, effects_);
      else
        table_->read_finished(id, effects_);
      run();
      drop_unknown(id);
    }
  }

  void remove_done(const file_removed& answer) {
    if (answer.failure) {
      tell(failures_->remove_failed(answer.directory, *answer.failure));
      table_->delete_failed(answer.file, effects_);
    } else {
      failures_->removed(answer.directory);
      table_->file_deleted(answer.file, effects_);
    }
    run();
  }

  // -- the node -----------------------------------------------------------------------------------

  void collect(const collect_stats& message) {
    auto figures = table_->stats();
    auto& stats = message.request->stats;
    stats.spill_files += figures.files;
    stats.spill_file_bytes += figures.live_bytes + figures.dead_bytes;
    stats.written += {figures.written_objects, figures.written_bytes};
    stats.moved += {figures.moved_objects, figures.moved_bytes};
    stats.writing_time += writing_time_;
    stats.reading_time += reading_time_;
    stats.timers += timers_.size();
  }

  /// No shard is left.
  void stop(shut_down) {
    if (std::exchange(stopping_, true))
      return;
    table_->shut_down(effects_);
    run();
  }

  void check(check_tables) const {
    table_->check_invariants();
  }

private:
  /// Carries effects out; carrying one out may append others.
  void run() {
    for (std::size_t next = 0; next < effects_.size(); ++next) {
      auto effect = effects_[next];
      std::visit([this](const auto& content) { apply(content); }, effect);
    }
    effects_.clear();
    watch_failures();
  }

  /// Tries again what failed for as long as something is to be tried.
  void watch_failures() {
    if (!table_->awaits_retry() || retries_at_end_ > max_retries_at_end)
      return timers_.stop(std::exchange(retry_timer_, {}));
    if (retry_timer_ == deadline{})
      retry_timer_ = timers_.start(retry_interval, [this] {
        retry_timer_ = {};
        core_->count_message();
        if (stopping_ && ++retries_at_end_ > max_retries_at_end)
          return abandon_files();
        table_->retry_directories(effects_);
        run();
      });
  }

  template <class Job>
    requires requires(spill_jobs& jobs, const Job& job) {
      jobs.begin(job);
    }
  void apply(const Job& effect) {
    jobs_->begin(effect);
  }

  void apply(const report_spilled& effect) {
    answer(shard_of(effect.id), copy_written{effect.id});
  }

  void apply(const report_spill_failed& effect) {
    answer(shard_of(effect.id), copy_not_written{effect.id, effect.error, effect.round});
    drop_unknown(effect.id);
  }

  void apply(const report_restored& effect) {
    answer(shard_of(effect.id), copy_read{effect.id});
  }

  void apply(const report_restore_failed& effect) {
    answer(shard_of(effect.id), copy_not_read{effect.id, effect.error});
    drop_unknown(effect.id);
  }

  /// What is to be tried again is looked at after each event. REQUIRES: it is the end of a write.
  void apply(const report_directory_set_aside& effect) {
    if (last_failure_)
      tell(failures_->write_failed(effect.directory, *last_failure_));
  }

  /// Whether spills are possible again is told by an effect of its own.
  void apply(const report_directory_recovered& effect) {
    tell(failures_->wrote(effect.directory));
  }

  /// Lets those know who cannot go on, and the log if it does not know yet.
  void tell(const std::optional<std::string>& line) {
    core_->disk_news().put_up(failures_->trouble());
    if (line)
      log_warning(fmt::format("node {} {}", to_string(core_->incarnation()), *line));
  }

  void apply(const report_spilling_possible& effect) {
    // Shards share the table that wants to know.
    self_->send(core_->shards().front(), spilling_possible_again{effect.round});
  }

  void apply(const report_spill_drained&) {
    if (stopping_)
      self_->quit();
  }

  template <class Message>
  void answer(std::uint32_t shard, Message message) {
    self_->send(core_->shards()[shard], std::move(message));
  }

  [[nodiscard]] std::uint32_t shard_of(const object_id& id) const {
    return core_->shard_of(id.sequence);
  }

  void drop_unknown(const object_id& id) {
    if (!table_->contains(id))
      jobs_->forget(id);
  }

  /// A node does not stay for a disk that takes no more. The next sweep of the directory, when this
  /// node's claim on it is gone, removes what is left.
  void abandon_files() {
    auto count = table_->abandon_files(effects_);
    log_warning(fmt::format("node {} leaves {} spill files behind, which could not be removed, in "
                            "{}; the next node that uses them does so",
                            to_string(core_->incarnation()), count,
                            fmt::join(core_->options().spill_directories, ", ")));
    run();
  }

  std::shared_ptr<spill_claims> claims_;
  std::optional<spill_jobs> jobs_;
  std::optional<spill_table> table_;
  spill_effects effects_;
  actor_timers timers_;
  deadline retry_timer_; ///< runs while something that failed is to be tried again
  std::optional<io_failure> last_failure_; ///< of the write whose end is being looked at
  std::optional<directory_failures> failures_;
  std::chrono::nanoseconds writing_time_{};
  std::chrono::nanoseconds reading_time_{};
  int retries_at_end_ = 0;
  bool stopping_ = false;
};

} // namespace

spill_manager_actor spawn_spill_manager(node_core& core) {
  return start_service<spill_manager_state>(core, claim_directories(core));
}

} // namespace mobula
