#pragma once

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/node_options.hpp"

namespace mobula {

/// Configuration of an actor system that runs nodes: declares the options of the group `mobula`, so
/// that command line and configuration file work as in any CAF program. Sizes are numbers of bytes
/// with an optional unit: `64MB` is 64,000,000, `64MiB` is 67,108,864.
///
/// | option                    | meaning                                                | default |
/// |---------------------------|--------------------------------------------------------|---------|
/// | `mobula.inline-limit`     | largest value in the process heap                      | 100KiB  |
/// | `mobula.store-size`       | room for larger ones; 0: 30 % of memory                | 0       |
/// | `mobula.arena-dir`        | tmpfs that holds them, as shared memory                | /dev/shm
/// | | `mobula.prefault`         | free memory kept faulted in, so that puts need not wait | 256MiB
/// | | `mobula.shards`           | actors that share this room                            | 2 | |
/// `mobula.spill-dirs`       | directories for what does not fit, used in turn        | none    |
/// | `mobula.spill-limit`      | bytes on disk; 0: as much as there is                  | 0       |
/// | `mobula.spill-file-size`  | size at which a spill file is closed                   | 128MiB  |
/// | `mobula.spill-threshold`  | percent of the room above which idle objects are spilled | 80    |
/// | `mobula.spill-workers`    | threads that read and write spill files                | 2       |
/// | `mobula.credit`           | room that each shard lends to creators ahead of need, at most what
/// is free below the threshold | 1TiB | | `mobula.full-timeout`     | how long a put waits in a
/// store where nothing can move | 2s      | | `mobula.transit-lease`    | age at which references
/// in messages are looked after   | 10s     | | `mobula.grace-period`     | how long what a lost
/// node held is kept                 | 30s     | | `mobula.seed`             | seed of all ids; 0:
/// drawn from the system              | 0       | | `mobula.cluster`          | name of the
/// cluster, part of file names                | mobula  |
class config : public caf::actor_system_config {
public:
  config();

  using caf::actor_system_config::parse;

  /// Reads command line and configuration file like CAF's own, then checks the values.
  caf::error parse(int argc, char** argv, const char* ini_file = "caf-application.ini");
};

/// Reads the options of the group `mobula` from any configuration. Throws `object_error`
/// (`invalid_argument`) for a bad value, naming option, value and allowed range.
[[nodiscard]] node_options read_options(const caf::actor_system_config& config);

/// Checks ranges. Throws as above.
void require_valid(const node_options& options);

/// Reads a size such as `4096`, `64MB` or `1.5GiB`. Throws `object_error` (`invalid_argument`) that
/// names `option`.
[[nodiscard]] std::uint64_t parse_size(std::string_view option, std::string_view text);

} // namespace mobula
