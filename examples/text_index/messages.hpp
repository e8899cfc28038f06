#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/replies_to.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <mobula/message.hpp>

#include "corpus.hpp"
#include "index.hpp"

// The actors of the application and what they say to each other. Texts and indexes never travel:
// messages carry references to them.
//
//     builder ── read_batch ───> reader    puts texts, answers batch_read
//             ── index_batch ──> indexers  read texts, put partial indexes, answer batch_indexed
//             ── merge_indexes ─> mergers  read indexes, put their sum, answer indexes_merged
//             ── build_progress ─> progress
//
// Indexers and mergers may be those of other nodes. Each such node has a foreman, who enlists them
// with the builder, which he finds by its name, and is told when there is no more work:
//
//     foreman ── enlist ───> builder       gives work to the workers from now on
//     builder ── dismiss ──> foreman       stops the workers, waits until its node is empty

namespace text_index {

using index_ref = mobula::ObjectRef<partial_index>;

// -- reader ---------------------------------------------------------------------------------------

/// Asks for the next files.
struct read_batch {};

struct batch_read {
  /// Empty when there are no more files.
  mobula::ObjectRef<text_batch> batch;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<skipped_file> skipped;
};

using reader_actor = caf::typed_actor<caf::replies_to<read_batch>::with<batch_read>>;

// -- indexers -------------------------------------------------------------------------------------

struct index_batch {
  mobula::ObjectRef<text_batch> batch;
  /// How many partitions the index has.
  std::uint64_t split = 1;
  /// Those that are wanted.
  std::vector<partition_number> partitions;
};

struct batch_indexed {
  /// One for each partition that was wanted.
  std::vector<index_ref> partitions;
  std::uint64_t words = 0;
};

using indexer_actor = caf::typed_actor<caf::replies_to<index_batch>::with<batch_indexed>>;

// -- mergers --------------------------------------------------------------------------------------

struct merge_indexes {
  std::vector<index_ref> parts;
};

struct indexes_merged {
  index_ref sum;
};

using merger_actor = caf::typed_actor<caf::replies_to<merge_indexes>::with<indexes_merged>>;

// -- progress -------------------------------------------------------------------------------------

/// How far the builder came.
struct build_progress {
  std::uint64_t files = 0;
  /// Files of the source that are not in the index.
  std::uint64_t skipped = 0;
  std::uint64_t bytes = 0;
  std::uint64_t words = 0;
};

using progress_actor = caf::typed_actor<caf::reacts_to<build_progress>>;

// -- foremen --------------------------------------------------------------------------------------

/// There is no more work for this node.
struct dismiss {};

/// What is left on a node when all is done.
struct node_rest {
  /// Empty if nothing is; else the node's figures.
  std::string left;
};

using foreman_actor = caf::typed_actor<caf::replies_to<dismiss>::with<node_rest>>;

/// Offers the workers of a node.
struct enlist {
  std::string node;
  foreman_actor foreman;
  std::vector<indexer_actor> indexers;
  std::vector<merger_actor> mergers;
};

// -- builder --------------------------------------------------------------------------------------

/// Asks for the index of all that the reader has.
struct build_index {};

/// Whether a node is there until the end.
enum class node_fate : std::uint8_t { stayed, lost };

/// What a node did, and what was lost with it.
struct node_share {
  std::string node;
  node_fate fate = node_fate::stayed;
  std::uint64_t batches = 0; ///< that it indexed
  std::uint64_t merges = 0;
  std::uint64_t lost_indexes = 0;
  std::uint64_t lost_tasks = 0;
  std::uint64_t again = 0; ///< batches that others had to index again
  /// As in `node_rest`, once the work is over.
  std::string left;
};

struct built_index {
  /// One for each partition.
  std::vector<index_ref> partitions;
  build_progress total;
  std::vector<skipped_file> skipped;
  /// From the first file that was asked for on.
  caf::timespan time{};
};

/// Asks to dismiss the other nodes. All that the index consists of must be let go before.
struct end_work {};

struct work_ended {
  /// One for each node, this one first.
  std::vector<node_share> shares;
};

/// Workers have rested long enough from a failure.
struct rest_over {};

using builder_actor =
  caf::typed_actor<caf::replies_to<build_index>::with<built_index>, caf::reacts_to<enlist>,
                   caf::replies_to<end_work>::with<work_ended>, caf::reacts_to<rest_over>>;

/// The name under which nodes find the builder.
constexpr auto builder_name = "text_index";

// -- inspection -----------------------------------------------------------------------------------

MOBULA_MESSAGE(text_index::read_batch)
MOBULA_MESSAGE(text_index::batch_read, batch, files, bytes, skipped)
MOBULA_MESSAGE(text_index::index_batch, batch, split, partitions)
MOBULA_MESSAGE(text_index::batch_indexed, partitions, words)
MOBULA_MESSAGE(text_index::merge_indexes, parts)
MOBULA_MESSAGE(text_index::indexes_merged, sum)
MOBULA_MESSAGE(text_index::build_progress, files, skipped, bytes, words)
MOBULA_MESSAGE(text_index::build_index)
MOBULA_MESSAGE(text_index::built_index, partitions, total, skipped, time)
MOBULA_MESSAGE(text_index::dismiss)
MOBULA_MESSAGE(text_index::node_rest, left)
MOBULA_MESSAGE(text_index::enlist, node, foreman, indexers, mergers)
MOBULA_MESSAGE(text_index::end_work)
MOBULA_MESSAGE(text_index::node_share, node, fate, batches, merges, lost_indexes, lost_tasks, again,
               left)
MOBULA_MESSAGE(text_index::work_ended, shares)
MOBULA_MESSAGE(text_index::rest_over)

/// Registers all message types.
void register_messages(caf::actor_system_config& config);

} // namespace text_index
