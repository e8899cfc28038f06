#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mobula/mobula.hpp>

// What the objects of the index hold, and how they are made and merged. No actors here.

namespace text_index {

/// The bytes of a file. An array is read in place: no reader copies the text.
using text = mobula::array<char>;

inline std::string_view as_string(const text& content) noexcept {
  return {content.data(), content.size()};
}

/// Names a file in the index: the order in which the files were read.
using file_number = std::uint32_t;

/// A file and its text.
struct indexed_file {
  std::string name;
  mobula::ObjectRef<text> content;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, content);
  }
};

/// Files that were read and are indexed together. Their numbers follow each other.
struct text_batch {
  file_number first = 0;
  std::vector<indexed_file> files;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(first, files);
  }
};

/// Where the files from a number on are found.
struct batch_place {
  file_number first = 0;
  mobula::ObjectRef<text_batch> batch;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(first, batch);
  }
};

/// How often a word occurs, and in which files (ascending).
struct word_entry {
  std::string word;
  std::uint64_t count = 0;
  std::vector<file_number> files;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(word, count, files);
  }
};

/// The words of some files, as far as they belong to one partition. Keeps the files' texts alive:
/// they are nested in the batches that are nested here. Both lists are sorted.
struct partial_index {
  std::vector<batch_place> batches;
  std::vector<word_entry> words;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(batches, words);
  }
};

/// Names a part of the index.
using partition_number = std::uint32_t;

/// An index is split by word, so that no object of it grows too large for the store and several
/// mergers can work on it.
std::size_t partition_of(std::string_view word, std::size_t partitions) noexcept;

/// Adds `other`, which is about other files, to `target`. In whatever order indexes are merged, the
/// result is the same.
void merge_into(partial_index& target, const partial_index& other);

/// Collects the words of the files of one batch.
class index_draft {
public:
  /// Adds the words of a file. REQUIRES: the files come in the order of their numbers.
  void add(file_number file, std::string_view content);

  /// Returns the number of words added, each counted as often as it occurs.
  [[nodiscard]] std::uint64_t words() const noexcept {
    return words_;
  }

  /// Returns one index for each partition and leaves the draft empty.
  std::vector<partial_index> finish(std::size_t partitions, const batch_place& batch);

private:
  /// Lets the table be searched for words that are no strings yet.
  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  struct occurrences {
    std::uint64_t count = 0;
    std::vector<file_number> files;
  };

  std::unordered_map<std::string, occurrences, hash, std::equal_to<>> table_;
  std::uint64_t words_ = 0;
};

} // namespace text_index
