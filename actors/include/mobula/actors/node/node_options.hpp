#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mobula/actors/objects/call_site.hpp"
#include "mobula/actors/objects/reading_in_place.hpp"
#include "mobula/actors/protocol/membership/listening_scope.hpp"
#include "mobula/actors/time/time_span.hpp"
#include "mobula/store/port/wire_compression.hpp"

namespace mobula {

/// Settings of one node. `read_options` fills them from a CAF configuration and checks ranges. The
/// longest time that there is stands for "as long as it takes".
struct node_options {
  /// Values up to this size live in the process heap and travel inside messages; larger ones live
  /// in a store shard.
  std::uint64_t inline_limit_bytes = 100ULL * 1024;

  /// What values may take of the process heap, small ones and what was decoded of any. Above it,
  /// those from 4 KiB on move into the store. 0: 20 % of the memory that the machine or a memory
  /// cgroup grants; a running node's options say how much.
  std::uint64_t heap_limit_bytes = 0;

  /// Space for stored objects, all shards together. 0: 30 % of the memory that the machine or a
  /// memory cgroup grants, at most half of what is free of it, and no more than the arena's
  /// directory has; a running node's options say how much.
  std::uint64_t store_size_bytes = 0;

  /// Where the arena, the node's shared memory, is made: a tmpfs. A relative path counts from where
  /// the process is when the node starts; a running node's options have the absolute one.
  std::string arena_directory = "/dev/shm";

  /// Free memory of the arena that is kept faulted in from the start, so that puts need not wait
  /// for it. Nothing: as much as the store has in use, at least 4 MiB, and up to 256 MiB. At most a
  /// quarter of the store.
  std::optional<std::uint64_t> prefault_bytes = std::nullopt;

  /// Number of store shards, the actors that store objects are spread over. They share all space.
  std::uint32_t shards = 2;

  /// Directories for spill files, used in turn, none of them twice; relative paths as above. Empty:
  /// nothing is spilled, and a store that is full stays full until references go.
  std::vector<std::string> spill_directories;

  /// Bytes on disk, all directories together; 0: as much as there is.
  std::uint64_t spill_limit_bytes = 0;

  /// Size at which a spill file is closed.
  std::uint64_t spill_file_bytes = 128ULL << 20U;

  /// Share of the store's space, in percent, above which idle objects are spilled.
  std::uint32_t spill_threshold_percent = 80;

  /// Threads that read and write spill files.
  std::uint32_t spill_workers = 2;

  /// How long a put waits in a store where nothing can move before it fails: readers may still let
  /// go. Measured by the actor system's clock.
  time_span full_timeout = std::chrono::seconds{2};

  /// Space that the store lends to creators ahead of need, so that a put asks nobody. Never more
  /// than what is free below the spill threshold, which is the default.
  std::uint64_t lent_bytes = 1ULL << 40U;

  /// How long a reference in a message to another node may be under way before it is looked into
  /// whether it still is. Any length is safe.
  time_span transit_lease = std::chrono::seconds{10};

  /// How long what a lost node held stays held, since others may have got it from there. Longer
  /// than it takes until both sides know that a connection is lost, and what was sent before has
  /// arrived.
  time_span grace_period = std::chrono::seconds{30};

  /// How values of other nodes of this host are read.
  reading_in_place same_host_reading = reading_in_place::automatic;

  /// Bytes of small values that travel with the references of one message, so that the receiver
  /// need not ask for them.
  std::uint64_t piggyback_bytes = 4096;

  /// How long a node that leaves its cluster waits for others to take the values that they refer
  /// to; zero: it does not ask them to.
  time_span drain_timeout;

  /// Whether values are compressed (zstd) on their way to nodes that pull them.
  compression_mode compression = compression_mode::automatic;

  /// Bytes that are fetched from another node at once; several such chunks are under way.
  std::uint64_t transfer_chunk_bytes = 4ULL << 20U;

  /// What one message from another node may have, in CAF's encoding; one that announces more ends
  /// the connection. In effect at least 16 MiB more than the inline limit. What is larger belongs
  /// into the store. Owners know the limits of those who read and send them no more of a value; an
  /// application has to know that of the nodes that it sends its own messages to.
  std::uint64_t message_limit_bytes = 256ULL << 20U;

  /// Whether objects remember where they were made, for the `mobula` command; 32 bytes for each.
  call_site_recording call_sites = call_site_recording::off;

  /// Seed of the node's incarnation and so of all its ids; 0: drawn from the system.
  std::uint64_t seed = 0;

  /// Whether the node may listen at addresses that other hosts reach. Nodes do not authenticate
  /// each other: whoever can connect can read and change all values.
  listening_scope listening = listening_scope::loopback;

  /// Addresses at which others find this node, in place of those of its interfaces, in the order in
  /// which they are to try them: `ADDRESS` or `ADDRESS:PORT`, where the port stands for the one
  /// that nodes join through. At most 16.
  std::vector<std::string> advertise;

  /// Port from which others fetch large values; 0: any that is free.
  std::uint16_t data_port = 0;

  /// Name of the cluster; part of the names of files that a node leaves on disk.
  std::string cluster = "mobula";

  /// What people call this node in logs and in the `mobula` command. Need not be unique. Empty: its
  /// host and process, as `host:1234`.
  std::string name = {};

  bool operator==(const node_options&) const = default;
};

/// Returns what one message over a connection of a node with these options may have. What a node
/// sends of values is measured by its own limit and by that of whoever reads.
[[nodiscard]] std::uint32_t max_message_bytes(const node_options& options) noexcept;

} // namespace mobula
