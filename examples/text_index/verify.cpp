// Compares an index with one that is made in the simplest way and shares no code with it.

#include "verify.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

#include "printable.hpp"
#include "words.hpp"

namespace text_index {

namespace {

struct occurrences {
  std::uint64_t count = 0;
  std::set<std::string> files;
};

using table = std::map<std::string, occurrences>;

// Deliberately shares no code with the index: not even the definition of a word.

bool belongs_to_word(char c) {
  constexpr std::string_view ascii = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return ascii.find(c) != std::string_view::npos || static_cast<unsigned char>(c) > 127;
}

void add_word(table& words, const std::string& word, const std::string& file) {
  constexpr std::string_view digits = "0123456789";
  if (word.size() < min_word_bytes || word.size() > max_word_bytes
      || digits.find(word.front()) != std::string_view::npos)
    return;
  auto& found = words[word];
  ++found.count;
  found.files.insert(file);
}

void add_words(table& words, const source_file& file) {
  std::string word;
  for (auto c : file.content) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + ('a' - 'A'));
    if (belongs_to_word(c)) {
      word += c;
    } else {
      add_word(words, word, file.name);
      word.clear();
    }
  }
  add_word(words, word, file.name);
}

table expected_words(text_source& source) {
  table result;
  while (auto item = source.next())
    if (const auto* file = std::get_if<source_file>(&*item))
      add_words(result, *file);
  return result;
}

/// Returns what the index says, in the same form.
table indexed_words(mobula::node& node, const std::vector<index_ref>& partitions) {
  table result;
  for (const auto& partition : partitions) {
    auto index = node.get(partition);
    std::vector<std::string> names;
    for (const auto& place : index->batches) {
      auto batch = node.get(place.batch);
      names.resize(batch->first);
      for (const auto& file : batch->files)
        names.push_back(file.name);
    }
    for (const auto& entry : index->words) {
      auto& found = result[entry.word];
      found.count += entry.count;
      for (auto file : entry.files)
        found.files.insert(names.at(file));
    }
  }
  return result;
}

std::string describe(const occurrences& found) {
  return fmt::format("{} in {}", counted(found.count, "time", "times"),
                     counted(found.files.size(), "file", "files"));
}

std::string describe_difference(const std::string& word, const occurrences& expected,
                                const occurrences& indexed) {
  auto result = fmt::format("\"{}\" occurs {}, the index says {}", printable(word, max_word_bytes),
                            describe(expected), describe(indexed));
  for (const auto& file : expected.files)
    if (!indexed.files.contains(file))
      return fmt::format("{}; it misses {}", result, printable(file, 200));
  for (const auto& file : indexed.files)
    if (!expected.files.contains(file))
      return fmt::format("{}; it has {} too many", result, printable(file, 200));
  return result;
}

bool same(const occurrences& left, const occurrences& right) {
  return left.count == right.count && left.files == right.files;
}

} // namespace

std::optional<std::string> first_difference(mobula::node& node,
                                            const std::vector<index_ref>& partitions,
                                            text_source& source) {
  auto expected = expected_words(source);
  auto indexed = indexed_words(node, partitions);
  // An entry of one of them that the other lacks becomes an empty one there.
  for (const auto& [word, found] : indexed)
    expected.try_emplace(word);
  for (const auto& [word, wanted] : expected) {
    auto position = indexed.find(word);
    auto found = position == indexed.end() ? occurrences{} : position->second;
    if (!same(wanted, found))
      return describe_difference(word, wanted, found);
  }
  return std::nullopt;
}

} // namespace text_index
