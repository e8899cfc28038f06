#pragma once

#include <chrono>
#include <ostream>
#include <string_view>

#include "query.hpp"

// What the program prints about its results.

namespace text_index {

void print_skipped(std::ostream& out, const std::vector<skipped_file>& skipped);

void print_top_words(std::ostream& out, const std::vector<word_count>& words);

/// `hits` may be null: the word does not occur.
void print_hits(std::ostream& out, std::string_view word, const word_hits* hits);

void print_totals(std::ostream& out, const build_progress& total, std::uint64_t distinct_words,
                  std::chrono::duration<double> time);

/// `fingerprint`: of the index.
void print_fingerprint(std::ostream& out, std::uint64_t fingerprint);

/// `shares`: this node first, whose store is still in use.
void print_shares(std::ostream& out, const std::vector<node_share>& shares);

/// Leaves out what is zero.
void print_stats(std::ostream& out, std::string_view title, const mobula::node_stats& stats);

} // namespace text_index
