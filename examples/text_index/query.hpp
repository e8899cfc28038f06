#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages.hpp"

// Questions to an index, for threads outside of actors.

namespace text_index {

/// A word and its numbers.
struct word_count {
  std::string word;
  std::uint64_t count = 0;
  std::uint64_t files = 0;
};

/// A file in which a word occurs.
struct hit {
  std::string file;
  std::uint64_t line = 0;
  /// The first line with the word.
  std::string snippet;
};

struct word_hits {
  word_count word;
  /// The first files, in the order of their numbers.
  std::vector<hit> hits;
};

class index_query {
public:
  index_query(mobula::node& node, std::vector<index_ref> partitions)
    : node_(&node), partitions_(std::move(partitions)) {
    // nop
  }

  /// Returns the most frequent words, those equally frequent in alphabetical order.
  [[nodiscard]] std::vector<word_count> top(std::size_t count) const;

  /// Returns the number of distinct words.
  [[nodiscard]] std::uint64_t words() const;

  /// Returns a number that depends on all that the index says of words and files, and not on how it
  /// was made or where its parts are.
  [[nodiscard]] std::uint64_t fingerprint() const;

  /// Looks a word up, which must be in lower case. Reads the texts of the first `max_hits` files.
  [[nodiscard]] std::optional<word_hits> find(std::string_view word, std::size_t max_hits) const;

private:
  [[nodiscard]] hit look_into(const indexed_file& file, std::string_view word) const;

  mobula::node* node_;
  std::vector<index_ref> partitions_;
};

/// Returns the file of this number. REQUIRES: it is in the index.
indexed_file file_of(mobula::node& node, const partial_index& index, file_number file);

/// A line of a text; of a huge one, what is around the word.
struct found_line {
  std::uint64_t number = 0;
  std::string_view snippet;
};

/// Returns the first line in which `word` occurs as a word.
std::optional<found_line> first_line_with(std::string_view content, std::string_view word);

} // namespace text_index
