#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

#include <caf/scoped_actor.hpp>

#include "index_config.hpp"
#include "pipeline.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "verify.hpp"

namespace text_index {

namespace {

constexpr std::size_t shown_hits = 3;

/// Texts must leave room in their shard for others.
std::uint64_t largest_text(const mobula::node_options& options) {
  return std::max(options.inline_limit_bytes, options.shard_bytes() / 4);
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
  std::cout << fmt::format("Indexing {} of {} files in {}\n", grouped(result.files.size()),
                           grouped(found), names);
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

progress_actor spawn_progress(caf::actor_system& system, std::size_t files) {
  auto style = ::isatty(STDERR_FILENO) != 0 ? progress_style::bar : progress_style::lines;
  return system.spawn(progress_meter, progress_printer{std::cerr, style, files});
}

/// Throws `object_error`.
built_index build(mobula::node& node, const index_config& config, const corpus& corpus) {
  auto& system = node.system();
  auto source = std::make_shared<file_source>(corpus.files, largest_text(node.options()));
  auto reading = system.spawn<caf::detached>(reader, &node, std::move(source), batch_limits{});
  auto building = spawn_pipeline(
    node, reading, {.indexers = config.indexers, .partitions = config.partitions, .limits = {}},
    spawn_progress(system, corpus.files.size()));
  built_index result;
  caf::error failure;
  caf::scoped_actor self{system};
  self->request(building, caf::infinite, build_index{})
    .receive([&](built_index& index) { result = std::move(index); },
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

/// An actor that counts as done may still be dropping the last message it handled, so the figures
/// are asked for again until they are at rest; a loaded machine takes its time for that.
mobula::node_stats stats_at_rest(mobula::node& node) {
  node.system().await_all_actors_done();
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  auto stats = node.stats();
  // Each question is a round trip through the node's actors.
  while (!stats.nothing_left() && std::chrono::steady_clock::now() < deadline)
    stats = node.stats();
  return stats;
}

/// Returns whether the store is empty.
bool check_release(mobula::node& node) {
  auto stats = stats_at_rest(node);
  print_stats(std::cout, "The store after release:", stats);
  if (!stats.nothing_left())
    std::cout << "LEAK: all references are gone, but the store is not empty\n";
  return stats.nothing_left();
}

/// All references are gone when this returns.
bool index_and_answer(mobula::node& node, const index_config& config) {
  auto corpus = choose_corpus(config);
  print_skipped(std::cout, corpus.skipped);
  std::cout << std::flush;
  auto start = std::chrono::steady_clock::now();
  auto index = build(node, config, corpus);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  print_skipped(std::cout, index.skipped);
  index_query query{node, index.partitions};
  print_answers(query, config);
  print_totals(std::cout, index.total, query.words(), time);
  auto verified = !config.verify || verify(node, corpus, index);
  print_stats(std::cout, "The store before release:", node.stats());
  return verified;
}

int run(mobula::node& node, const index_config& config) {
  auto verified = index_and_answer(node, config);
  auto released = check_release(node);
  return verified && released ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

} // namespace text_index

int main(int argc, char** argv) {
  return mobula::run_main<text_index::index_config>(argc, argv, text_index::run);
}
