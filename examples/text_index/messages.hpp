#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

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

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, read_batch&) {
  return f(caf::meta::type_name("text_index::read_batch"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_read& message) {
  return f(caf::meta::type_name("text_index::batch_read"), message.batch, message.files,
           message.bytes, message.skipped);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, index_batch& message) {
  return f(caf::meta::type_name("text_index::index_batch"), message.batch, message.split,
           message.partitions);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_indexed& message) {
  return f(caf::meta::type_name("text_index::batch_indexed"), message.partitions, message.words);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, merge_indexes& message) {
  return f(caf::meta::type_name("text_index::merge_indexes"), message.parts);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, indexes_merged& message) {
  return f(caf::meta::type_name("text_index::indexes_merged"), message.sum);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, build_progress& message) {
  return f(caf::meta::type_name("text_index::build_progress"), message.files, message.skipped,
           message.bytes, message.words);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, build_index&) {
  return f(caf::meta::type_name("text_index::build_index"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, built_index& message) {
  return f(caf::meta::type_name("text_index::built_index"), message.partitions, message.total,
           message.skipped, message.time);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dismiss&) {
  return f(caf::meta::type_name("text_index::dismiss"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_rest& message) {
  return f(caf::meta::type_name("text_index::node_rest"), message.left);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, enlist& message) {
  return f(caf::meta::type_name("text_index::enlist"), message.node, message.foreman,
           message.indexers, message.mergers);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, end_work&) {
  return f(caf::meta::type_name("text_index::end_work"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_share& share) {
  return f(caf::meta::type_name("text_index::node_share"), share.node, share.fate, share.batches,
           share.merges, share.lost_indexes, share.lost_tasks, share.again, share.left);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, work_ended& message) {
  return f(caf::meta::type_name("text_index::work_ended"), message.shares);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, rest_over&) {
  return f(caf::meta::type_name("text_index::rest_over"));
}

/// Registers all message types.
void register_messages(caf::actor_system_config& config);

} // namespace text_index
