// The actors that do the work: one reads files, the others index texts and merge indexes. Each does
// a task at a time, and says why it failed if it did.

#include "workers.hpp"

#include <utility>

namespace text_index {

namespace {

/// Describes the exception that is being handled, for the actor that asked.
caf::error failure_of(const char* task) {
  return mobula::to_caf_error(mobula::describe_current_exception(
    mobula::error_type::task_execution_exception, std::string{task} + " failed"));
}

} // namespace

// -- reader ---------------------------------------------------------------------------------------

void reader_state::init(mobula::node& node, std::shared_ptr<text_source> source,
                        const batch_limits& limits) {
  node_ = &node;
  source_ = std::move(source);
  limits_ = limits;
}

caf::result<batch_read> reader_state::read() {
  try {
    return read_batch_of_files();
  } catch (...) {
    return failure_of("reading files");
  }
}

batch_read reader_state::read_batch_of_files() {
  batch_read result;
  text_batch batch{.first = next_, .files = {}};
  while (batch.files.size() < limits_.files && result.bytes < limits_.bytes) {
    auto item = source_->next();
    if (!item)
      break;
    if (auto* skipped = std::get_if<skipped_file>(&*item))
      result.skipped.push_back(std::move(*skipped));
    else
      add(std::get<source_file>(std::move(*item)), batch, result);
  }
  result.files = batch.files.size();
  next_ += static_cast<file_number>(batch.files.size());
  if (!batch.files.empty())
    result.batch = node_->put(batch);
  return result;
}

void reader_state::add(source_file&& file, text_batch& batch, batch_read& result) {
  result.bytes += file.content.size();
  batch.files.push_back({std::move(file.name), node_->put(text{file.content})});
}

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self,
                                   mobula::node* node, std::shared_ptr<text_source> source,
                                   batch_limits limits) {
  auto& state = self->state;
  state.init(*node, std::move(source), limits);
  return {
    [&state](read_batch) { return state.read(); },
  };
}

// -- indexer --------------------------------------------------------------------------------------

namespace {

mobula::coroutine answer_with_indexes(indexer_actor::pointer self, mobula::node& node,
                                      index_batch request,
                                      caf::typed_response_promise<batch_indexed> answer) {
  try {
    index_draft draft;
    batch_place place{.first = 0, .batch = request.batch};
    {
      auto batch = co_await request.batch;
      place.first = batch->first;
      auto number = batch->first;
      std::vector<mobula::ObjectRef<text>> texts;
      for (const auto& file : batch->files)
        texts.push_back(file.content);
      // One question to the node that has the texts instead of one for each.
      co_await mobula::wait(self, texts, texts.size());
      for (const auto& file : batch->files) {
        auto content = co_await file.content;
        draft.add(number++, as_string(*content));
      }
    }
    batch_indexed result{.partitions = {}, .words = draft.words()};
    auto parts = draft.finish(request.split, place);
    for (auto partition : request.partitions)
      result.partitions.push_back(node.put(parts.at(partition)));
    answer.deliver(std::move(result));
  } catch (...) {
    answer.deliver(failure_of("indexing files"));
  }
}

} // namespace

indexer_actor::behavior_type indexer(indexer_actor::pointer self, mobula::node* node) {
  return {
    [=](index_batch& request) {
      auto answer = self->make_response_promise<batch_indexed>();
      answer_with_indexes(self, *node, std::move(request), answer);
      return answer;
    },
  };
}

// -- merger ---------------------------------------------------------------------------------------

namespace {

mobula::coroutine answer_with_sum(merger_actor::pointer self, mobula::node& node,
                                  std::vector<index_ref> parts,
                                  caf::typed_response_promise<indexes_merged> answer) {
  try {
    co_await mobula::wait(self, parts, parts.size());
    partial_index sum;
    for (auto& part : parts) {
      auto index = co_await std::exchange(part, {});
      merge_into(sum, *index);
    }
    answer.deliver(indexes_merged{node.put(sum)});
  } catch (...) {
    answer.deliver(failure_of("merging indexes"));
  }
}

} // namespace

merger_actor::behavior_type merger(merger_actor::pointer self, mobula::node* node) {
  return {
    [=](merge_indexes& request) {
      auto answer = self->make_response_promise<indexes_merged>();
      answer_with_sum(self, *node, std::move(request.parts), answer);
      return answer;
    },
  };
}

} // namespace text_index
