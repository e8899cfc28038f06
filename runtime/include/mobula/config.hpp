#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <caf/error.hpp>
#include <caf/string_view.hpp>

#include "mobula/actors/node/node_options.hpp"

namespace mobula::internal {

struct flag_words;

} // namespace mobula::internal

namespace mobula {

/// Configuration of an actor system that runs nodes: declares the options of the group `mobula`, so
/// that command line and configuration file work as in any CAF program. Sizes are numbers of bytes
/// with an optional unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB; K, M and G are KiB, MiB and GiB):
/// `64MB` is 64,000,000, `64MiB` is 67,108,864. Times are whole numbers with a unit: ns, us, ms, s,
/// min or h. A key of the group that is no option is an error, wherever it comes from, and so is a
/// value of another type than its option's. In a file, texts and sizes with a unit stand in quotes,
/// times, numbers, true and false do not, and comments begin with `;`:
///
///     ; all of these are read
///     [mobula]
///     store-size="2GiB"
///     full-timeout=5s
///     shards=4
///     insecure=false
///     spill-dirs=["/disk1/spill", "/disk2/spill"]
///
/// | option of `mobula`   | meaning                                                   | default  |
/// |----------------------|-----------------------------------------------------------|----------|
/// | `inline-limit`       | largest value in the process heap                         | 100KiB   |
/// | `heap-limit`         | space for these; what is above it moves into the store;   | 0        |
/// |                      | 0: 20 % of the memory granted                             |          |
/// | `store-size`         | space for larger ones; 0: 30 % of the memory granted      | 0        |
/// | `arena-dir`          | tmpfs that holds them, as shared memory                   | /dev/shm |
/// | `prefault`           | free memory kept faulted in from the start, so that puts  | as much  |
/// |                      | need not wait                                             | as used, |
/// |                      |                                                           | 4–256MiB |
/// | `shards`             | actors that share this space                              | 2        |
/// | `spill-dirs`         | directories for what does not fit, used in turn           | none     |
/// |                      | and made if only the last part of their path is missing   |          |
/// | `spill-limit`        | bytes on disk; 0: as much as there is                     | 0        |
/// | `spill-file-size`    | size at which a spill file is closed                      | 128MiB   |
/// | `spill-threshold`    | percent of the space above which idle objects are spilled | 80       |
/// | `spill-workers`      | threads that read and write spill files                   | 2        |
/// | `credit`             | space lent to creators ahead of need                      | what is  |
/// |                      |                                                           | free     |
/// | `full-timeout`       | how long a put waits in a store where nothing can move    | 2s       |
/// | `record-call-sites`  | whether objects remember where they were made             | false    |
/// | `seed`               | seed of all ids; 0: drawn from the system                 | 0        |
/// | `cluster`            | name of the cluster, part of file names                   | mobula   |
/// | `name`               | what logs and the `mobula` command call this node         | its host |
/// |                      |                                                           | and pid  |
/// | `listen`             | ADDRESS:PORT where nodes may join through this one; no    | does not |
/// |                      | address: loopback; `[::]` and 0.0.0.0: all of the         | listen   |
/// |                      | host's; port 0: any that is free                          |          |
/// | `join`               | ADDRESS:PORT of a member of the cluster to join; without  | joins    |
/// |                      | `listen`, it listens as the address needs, at any port    | none     |
/// | `insecure`           | listen also where other hosts can connect: nodes do not   | false    |
/// |                      | authenticate each other                                   |          |
/// | `advertise`          | ADDRESSes or ADDRESS:PORTs at which others find the node  | those of |
/// |                      |                                                           | the host |
/// | `data-port`          | port from which others fetch large values; 0: any         | 0        |
/// | `heartbeat-interval` | how often nodes tell each other that they live            | 1s       |
/// | `heartbeat-timeout`  | silence after which a node counts as dead                 | 10s      |
/// | `transit-lease`      | age at which references in messages are looked after      | 10s      |
/// | `grace-period`       | how long what a lost node held is kept                    | 30s      |
/// | `drain`              | how long a leaving node waits for others to take values   | 0s       |
/// | `stop-limit`         | how long a program may take to end after a signal         | 10s      |
/// | `same-host-reading`  | auto: in the shared memory of the host's nodes; off       | auto     |
/// | `piggyback`          | bytes of small values that a message's references carry   | 4KiB     |
/// | `message-limit`      | what a message from another node may have; more ends the  | 256MiB   |
/// |                      | connection; to be the same on all nodes                   |          |
/// | `compression`        | of values on their way to other hosts: auto, on, off      | auto     |
///
/// `run_main` does what `listen` and `join` say before it calls the program's function; other
/// programs call `cluster::follow_options`. Given on the command line or in the file, they load
/// CAF's middleman.
///
/// CAF's own `scheduler.policy` is `sharing` unless it is set: idle threads wait rather than poll,
/// which halves the time that a message to another process takes.
class config : public caf::actor_system_config {
public:
  config();

  using caf::actor_system_config::parse;

  /// Sets an option like CAF's own function, which drops a value of another type than the option's
  /// without a word. Here it is kept, and the first node refuses it by name.
  template <class T>
  config& set(caf::string_view name, T&& value) {
    keep(name, caf::config_value{std::forward<T>(value)});
    return *this;
  }

  /// Reads command line and configuration file like CAF's own, then checks the values. For `--help`
  /// (also `-h` and `-?`) and `--version`, prints what they ask for and sets
  /// `cli_helptext_printed`, as CAF does. Errors say what was probably meant.
  caf::error parse(int argc, char** argv, const char* ini_file = "caf-application.ini");

  /// Returns what is wrong with the first key of the group `mobula` that is no option, with file
  /// and line if it was read from the configuration file; nothing if there is none.
  [[nodiscard]] std::optional<std::string> explain_unknown() const;

private:
  bool print_what_is_asked(const std::vector<std::string>& words);
  caf::error read_with_caf(const std::string& file, const internal::flag_words& flags);
  void keep(caf::string_view name, caf::config_value value);
};

/// Reads the options of the group `mobula` from any configuration. Throws `object_error`
/// (`invalid_argument`) for a bad value, naming option, value and allowed range.
[[nodiscard]] node_options read_options(const caf::actor_system_config& config);

/// Checks ranges (option_ranges.hpp lists them). Throws as above. Nodes check whatever options they
/// are given.
void require_valid(const node_options& options);

/// Reads the option `mobula.stop-limit`; see `run_main`. Throws as above.
[[nodiscard]] std::chrono::nanoseconds read_stop_limit(const caf::actor_system_config& config);

/// Reads a size such as `4096`, `64MB` or `1.5GiB`. Throws `object_error` (`invalid_argument`) that
/// names `option`.
[[nodiscard]] std::uint64_t parse_size(std::string_view option, std::string_view text);

} // namespace mobula
