#pragma once

#include <cstdint>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
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
};

struct batch_indexed {
  /// One for each partition.
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

// -- builder --------------------------------------------------------------------------------------

/// Asks for the index of all that the reader has.
struct build_index {};

struct built_index {
  /// One for each partition.
  std::vector<index_ref> partitions;
  build_progress total;
  std::vector<skipped_file> skipped;
};

using builder_actor = caf::typed_actor<caf::replies_to<build_index>::with<built_index>>;

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
  return f(caf::meta::type_name("text_index::index_batch"), message.batch);
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
           message.skipped);
}

/// Registers all message types.
void register_messages(caf::actor_system_config& config);

} // namespace text_index
