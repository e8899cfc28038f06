// text_index builds an index of all words in thousands of files, alone or with other processes,
// answers questions from it, and shows that nothing is left in the store when it is done.

#include <algorithm>
#include <iostream>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <unistd.h>

#include <caf/scoped_actor.hpp>

#include "foreman.hpp"
#include "index_config.hpp"
#include "pipeline.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "verify.hpp"

namespace text_index {

namespace {

constexpr std::size_t shown_hits = 3;

using role = index_config::process_role;

/// Texts must leave space in the store for others.
std::uint64_t largest_text(const mobula::node_options& options) {
  return std::max(options.inline_limit_bytes, options.store_size_bytes / 4);
}

// -- choosing files -------------------------------------------------------------------------------

/// Returns what is below `paths`, thinned out to at most `limit` files, and says so.
corpus choose_files(const std::vector<std::filesystem::path>& paths, std::size_t limit) {
  auto result = find_files(paths);
  auto found = result.files.size();
  thin_out(result.files, limit);
  std::string names;
  for (const auto& path : paths)
    names += (names.empty() ? "" : ", ") + printable(path.string(), 200);
  std::cout << fmt::format("Indexing {} of {} in {}\n", grouped(result.files.size()),
                           counted(found, "file", "files"), names);
  return result;
}

corpus choose_corpus(const index_config& config) {
  if (auto paths = config.paths(); !paths.empty())
    return choose_files(paths, config.file_limit());
  auto result = choose_files({"/usr/share/common-licenses"}, config.file_limit());
  auto headers = choose_files({"/usr/include"}, config.file_limit() - result.files.size());
  std::ranges::move(headers.files, std::back_inserter(result.files));
  std::ranges::move(headers.skipped, std::back_inserter(result.skipped));
  return result;
}

// -- building -------------------------------------------------------------------------------------

progress_style style_of(const index_config& config) {
  if (::isatty(STDERR_FILENO) != 0)
    return progress_style::bar;
  return config.role() == role::alone ? progress_style::lines : progress_style::steps;
}

progress_actor spawn_progress(caf::actor_system& system, progress_style style, std::size_t files) {
  return system.spawn(progress_meter, progress_printer{std::cerr, style, files});
}

pipeline_options options_of(const index_config& config) {
  return {.indexers = config.indexers,
          .partitions = config.partitions,
          .limits = {},
          .least_nodes = config.role() == role::alone ? 0 : config.nodes};
}

builder_actor start(mobula::node& node, const index_config& config, const corpus& corpus) {
  auto& system = node.system();
  auto source = std::make_shared<file_source>(corpus.files, largest_text(node.options()));
  auto reading = system.spawn<caf::detached>(reader, &node, std::move(source), batch_limits{});
  return spawn_pipeline(node, reading, options_of(config),
                        spawn_progress(system, style_of(config), corpus.files.size()));
}

/// Throws `object_error`.
template <class Answer, class Request>
Answer ask(mobula::node& node, const builder_actor& building, Request request) {
  Answer result;
  caf::error failure;
  caf::scoped_actor self{node.system()};
  self->request(building, caf::infinite, std::move(request))
    .receive([&](Answer& answer) { result = std::move(answer); },
             [&](caf::error& reason) { failure = std::move(reason); });
  if (failure)
    throw mobula::object_error{mobula::to_error_info(failure)};
  return result;
}

// -- answering ------------------------------------------------------------------------------------

void print_answers(const index_query& query, const index_config& config) {
  print_top_words(std::cout, query.top(config.top));
  for (const auto& word : config.words) {
    auto hits = query.find(word, shown_hits);
    print_hits(std::cout, word, hits ? &*hits : nullptr);
  }
}

/// Returns whether there is no difference.
bool verify(mobula::node& node, const corpus& corpus, const built_index& index) {
  file_source source{corpus.files, largest_text(node.options())};
  if (auto difference = first_difference(node, index.partitions, source)) {
    std::cout << "NOT verified: " << *difference << '\n';
    return false;
  }
  std::cout << "Verified: an index made in the simplest way is the same\n";
  return true;
}

// -- the end --------------------------------------------------------------------------------------

/// Returns whether the store is empty.
bool check_release(mobula::node& node) {
  node.system().await_all_actors_done();
  // An actor that counts as done may still be dropping the last message that it handled.
  auto stats = stats_at_rest(node);
  print_stats(std::cout, "The store after release:", stats);
  std::cout << (holds_nothing(stats)
                  ? "All references are gone, and nothing is left here\n"
                  : "LEAK: all references are gone, but the store is not empty\n");
  return holds_nothing(stats);
}

/// The builder of several nodes, which outlives its answer, ends with this at the latest.
struct builder_scope {
  builder_actor actor;

  ~builder_scope() {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
};

/// All references are gone when this returns.
bool index_and_answer(mobula::node& node, const index_config& config, const corpus& corpus,
                      const builder_actor& builder) {
  auto index = ask<built_index>(node, builder, build_index{});
  print_skipped(std::cout, index.skipped);
  index_query query{node, index.partitions};
  print_answers(query, config);
  print_totals(std::cout, index.total, query.words(), index.time);
  print_fingerprint(std::cout, query.fingerprint());
  auto verified = !config.verify || verify(node, corpus, index);
  print_stats(std::cout, "The store before release:", node.stats());
  return verified;
}

/// Returns whether all went well.
bool give_work(mobula::node& node, const index_config& config) {
  auto corpus = choose_corpus(config);
  print_skipped(std::cout, corpus.skipped);
  std::cout << std::flush;
  builder_scope builder{start(node, config, corpus)};
  if (config.role() == role::alone)
    return index_and_answer(node, config, corpus, builder.actor);
  node.publish(builder_name, builder.actor);
  auto verified = index_and_answer(node, config, corpus, builder.actor);
  auto ended = ask<work_ended>(node, builder.actor, end_work{});
  node.unpublish(builder_name);
  print_shares(std::cout, ended.shares);
  return verified
         && std::ranges::all_of(ended.shares, [](const auto& each) { return each.left.empty(); });
}

/// Returns whether all went well.
bool work(mobula::node& node, const index_config& config) {
  auto rest = work_for_others(node, options_of(config));
  std::cout << (rest.left.empty() ? "Done, and nothing is left here\n" : "LEAK: this is left:\n")
            << rest.left;
  return rest.left.empty();
}

/// Lets others look at the node until nobody writes to this process any more, or until a signal.
/// One that was launched has no input.
void stay(const index_config& config) {
  if (!config.stay || config.role() == role::alone)
    return;
  if (config.launched()) {
    mobula::stop_signal stop;
    std::cout << "Staying until SIGTERM comes" << std::endl;
    stop.wait();
    return;
  }
  std::cout << "Staying until the standard input ends" << std::endl;
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
}

int run(mobula::node& node, const index_config& config, mobula::cluster& cluster) {
  if (config.role() != role::alone)
    std::cout << "Listening at port " << cluster.port() << std::endl;
  auto well = config.role() == role::works ? work(node, config) : give_work(node, config);
  if (config.role() != role::works)
    well = check_release(node) && well;
  stay(config);
  return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

} // namespace text_index

int main(int argc, char** argv) {
  return mobula::run_main<text_index::index_config>(argc, argv, text_index::run);
}
