// Names the types of all messages, as CAF has to know them on both sides of a connection.

#include "messages.hpp"

namespace text_index {

void register_messages(caf::actor_system_config& config) {
  mobula::add_messages<read_batch, batch_read, index_batch, batch_indexed, merge_indexes,
                       indexes_merged, build_progress, build_index, built_index, dismiss, node_rest,
                       enlist, end_work, work_ended, rest_over>(config);
}

} // namespace text_index
