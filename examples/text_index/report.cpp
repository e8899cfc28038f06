// Prints what a run found, who did it, and what the store held.

#include "report.hpp"

#include <algorithm>

#include <fmt/ostream.h>

#include "printable.hpp"
#include "words.hpp"

namespace text_index {

namespace {

constexpr std::size_t max_skipped_lines = 10;
constexpr std::size_t name_columns = 200;
constexpr std::size_t snippet_columns = 80;

/// Returns whether a line of figures tells of nothing.
bool is_zero(std::string_view line) {
  constexpr std::size_t name_width = 22;
  auto value = line.substr(std::min(name_width, line.size()));
  return value == "0" || value == "0 objects, 0 bytes" || value == "0 MB/s";
}

} // namespace

void print_skipped(std::ostream& out, const std::vector<skipped_file>& skipped) {
  if (skipped.empty())
    return;
  fmt::print(out, "Skipped {}:\n", grouped(skipped.size()));
  auto shown = std::min(skipped.size(), max_skipped_lines);
  for (const auto& file : std::span{skipped}.first(shown))
    fmt::print(out, "  {}: {}\n", printable(file.name, name_columns), file.reason);
  if (shown < skipped.size())
    fmt::print(out, "  and {} more\n", grouped(skipped.size() - shown));
}

void print_top_words(std::ostream& out, const std::vector<word_count>& words) {
  fmt::print(out, "{:>12}  {:>8}  word\n", "occurrences", "files");
  for (const auto& each : words)
    fmt::print(out, "{:>12}  {:>8}  {}\n", grouped(each.count), grouped(each.files),
               printable(each.word, max_word_bytes));
}

void print_hits(std::ostream& out, std::string_view word, const word_hits* hits) {
  auto name = printable(word, max_word_bytes);
  if (hits == nullptr) {
    fmt::print(out, "\"{}\" does not occur\n", name);
    return;
  }
  fmt::print(out, "\"{}\" occurs in {}, first in\n", name,
             counted(hits->word.files, "file", "files"));
  for (const auto& each : hits->hits)
    fmt::print(out, "  {}:{}: {}\n", printable(each.file, name_columns), each.line,
               printable(each.snippet, snippet_columns));
}

void print_totals(std::ostream& out, const build_progress& total, std::uint64_t distinct_words,
                  std::chrono::duration<double> time) {
  auto bytes = static_cast<double>(total.bytes);
  fmt::print(out, "{} ({} distinct) in {}, {}, {:.2f} s: {}/s, {} words/s\n",
             counted(total.words, "word", "words"), grouped(distinct_words),
             counted(total.files, "file", "files"), counted(total.bytes, "byte", "bytes"),
             time.count(), size_text(bytes / time.count()),
             grouped(static_cast<std::uint64_t>(static_cast<double>(total.words) / time.count())));
}

void print_fingerprint(std::ostream& out, std::uint64_t fingerprint) {
  fmt::print(out, "Fingerprint of the index: {:016x}\n", fingerprint);
}

void print_shares(std::ostream& out, const std::vector<node_share>& shares) {
  fmt::print(out, "Who did what:\n");
  for (const auto& each : shares) {
    auto name =
      each.node.empty() ? std::string{"this process"} : printable(each.node, name_columns);
    fmt::print(out, "  {:<16} {} indexed, {}\n", name, counted(each.batches, "batch", "batches"),
               counted(each.merges, "merge", "merges"));
    if (each.fate == node_fate::lost)
      fmt::print(out,
                 "  {:<16} LOST: {} that it owned, {} that it was busy with; {} indexed again by "
                 "others\n",
                 "", counted(each.lost_indexes, "index", "indexes"),
                 counted(each.lost_tasks, "task", "tasks"),
                 counted(each.again, "batch was", "batches were"));
    else if (!each.left.empty())
      fmt::print(out, "  {:<16} LEAK: this is left:\n{}\n", "", each.left);
    else if (!each.node.empty())
      fmt::print(out, "  {:<16} nothing is left there\n", "");
  }
}

void print_stats(std::ostream& out, std::string_view title, const mobula::node_stats& stats) {
  fmt::print(out, "{}\n", title);
  auto text = to_string(stats);
  auto about_zero = false; // the figure to which indented ones belong
  for (std::string_view rest = text; !rest.empty();) {
    auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    if (!line.starts_with(' '))
      about_zero = is_zero(line);
    if (!about_zero && !is_zero(line))
      fmt::print(out, "  {}\n", line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  fmt::print(out, "  and zero of all else\n");
}

} // namespace text_index
