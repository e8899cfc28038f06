#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "messages.hpp"

// The actors that read, index and merge. Each works on what it is sent and keeps nothing between
// two requests but, for the reader, its place in the source. They hold no more than one view at a
// time, so that they cannot starve each other in a small store.

namespace text_index {

/// How much the reader reads at once.
struct batch_limits {
  std::size_t files = 64;
  std::uint64_t bytes = std::uint64_t{1} << 20U;
};

/// Reads files, which blocks: outside of tests it wants a thread of its own (`caf::detached`).
class reader_state {
public:
  void init(mobula::node& node, std::shared_ptr<text_source> source, const batch_limits& limits);

  /// Reads files until there is enough for a batch.
  caf::result<batch_read> read();

private:
  batch_read read_batch_of_files();
  void add(source_file&& file, text_batch& batch, batch_read& result);

  mobula::node* node_ = nullptr;
  std::shared_ptr<text_source> source_;
  batch_limits limits_;
  file_number next_ = 0;
};

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self,
                                   mobula::node* node, std::shared_ptr<text_source> source,
                                   batch_limits limits);

indexer_actor::behavior_type indexer(indexer_actor::pointer self, mobula::node* node);

merger_actor::behavior_type merger(merger_actor::pointer self, mobula::node* node);

} // namespace text_index
