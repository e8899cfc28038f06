// Names the types of all messages, as CAF has to know them on both sides of a connection.

#include "messages.hpp"

namespace text_index {

void register_messages(caf::actor_system_config& config) {
  config.add_message_type<read_batch>("text_index::read_batch")
    .add_message_type<batch_read>("text_index::batch_read")
    .add_message_type<index_batch>("text_index::index_batch")
    .add_message_type<batch_indexed>("text_index::batch_indexed")
    .add_message_type<merge_indexes>("text_index::merge_indexes")
    .add_message_type<indexes_merged>("text_index::indexes_merged")
    .add_message_type<build_progress>("text_index::build_progress")
    .add_message_type<build_index>("text_index::build_index")
    .add_message_type<built_index>("text_index::built_index")
    .add_message_type<dismiss>("text_index::dismiss")
    .add_message_type<node_rest>("text_index::node_rest")
    .add_message_type<enlist>("text_index::enlist")
    .add_message_type<end_work>("text_index::end_work")
    .add_message_type<work_ended>("text_index::work_ended")
    .add_message_type<rest_over>("text_index::rest_over");
}

} // namespace text_index
