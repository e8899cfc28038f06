// Answers questions from a finished index: the most frequent words, where a word stands, and a
// fingerprint of all of it.

#include "query.hpp"

#include <algorithm>

#include "words.hpp"

namespace text_index {

namespace {

bool more_frequent(const word_count& left, const word_count& right) noexcept {
  return left.count != right.count ? left.count > right.count : left.word < right.word;
}

word_count count_of(const word_entry& entry) {
  return {entry.word, entry.count, entry.files.size()};
}

/// Keeps `best` sorted, and at most `count` long.
void insert_best(std::vector<word_count>& best, word_count candidate, std::size_t count) {
  auto position = std::ranges::upper_bound(best, candidate, more_frequent);
  best.insert(position, std::move(candidate));
  if (best.size() > count)
    best.pop_back();
}

/// A line may be a whole file: a snippet starts near its word.
constexpr std::size_t snippet_bytes = 200;

std::string_view around(std::string_view line, std::size_t position) noexcept {
  auto start = position > snippet_bytes / 2 ? position - snippet_bytes / 2 : 0;
  return line.size() <= snippet_bytes ? line : line.substr(start, snippet_bytes);
}

/// FNV-1a over numbers and texts, which tell their length.
class fingerprint_maker {
public:
  void add(std::uint64_t number) noexcept {
    for (int shift = 0; shift < 64; shift += 8)
      add_byte(static_cast<unsigned char>(number >> shift));
  }

  void add(std::string_view text) noexcept {
    add(text.size());
    for (auto c : text)
      add_byte(static_cast<unsigned char>(c));
  }

  [[nodiscard]] std::uint64_t result() const noexcept {
    return hash_;
  }

private:
  void add_byte(unsigned char byte) noexcept {
    hash_ = (hash_ ^ byte) * 1'099'511'628'211U;
  }

  std::uint64_t hash_ = 14'695'981'039'346'656'037U;
};

} // namespace

std::vector<word_count> index_query::top(std::size_t count) const {
  std::vector<word_count> result;
  for (const auto& partition : partitions_) {
    auto index = node_->get(partition);
    for (const auto& entry : index->words)
      if (result.size() < count || (count > 0 && entry.count >= result.back().count))
        insert_best(result, count_of(entry), count);
  }
  return result;
}

std::uint64_t index_query::words() const {
  std::uint64_t result = 0;
  for (const auto& partition : partitions_)
    result += node_->get(partition)->words.size();
  return result;
}

std::uint64_t index_query::fingerprint() const {
  fingerprint_maker hash;
  for (const auto& partition : partitions_) {
    auto index = node_->get(partition);
    hash.add(index->words.size());
    for (const auto& entry : index->words) {
      hash.add(entry.word);
      hash.add(entry.count);
      hash.add(entry.files.size());
      for (auto file : entry.files)
        hash.add(file);
    }
    for (const auto& place : index->batches) {
      auto batch = node_->get(place.batch);
      hash.add(batch->first);
      for (const auto& file : batch->files)
        hash.add(file.name);
    }
  }
  return hash.result();
}

std::optional<word_hits> index_query::find(std::string_view word, std::size_t max_hits) const {
  word_hits result;
  std::vector<indexed_file> files;
  {
    if (partitions_.empty())
      return std::nullopt;
    auto index = node_->get(partitions_[partition_of(word, partitions_.size())]);
    auto entry = std::ranges::lower_bound(index->words, word, {}, &word_entry::word);
    if (entry == index->words.end() || entry->word != word)
      return std::nullopt;
    result.word = count_of(*entry);
    for (std::size_t i = 0; i < std::min(max_hits, entry->files.size()); ++i)
      files.push_back(file_of(*node_, *index, entry->files[i]));
  }
  // The index may fill most of a small store: a view of it would leave the texts no space.
  for (const auto& file : files)
    result.hits.push_back(look_into(file, word));
  return result;
}

hit index_query::look_into(const indexed_file& file, std::string_view word) const {
  auto content = node_->get(file.content);
  auto line = first_line_with(as_string(*content), word);
  if (!line)
    return {.file = file.name, .line = 0, .snippet = {}};
  return {.file = file.name, .line = line->number, .snippet = std::string{line->snippet}};
}

indexed_file file_of(mobula::node& node, const partial_index& index, file_number file) {
  auto after = std::ranges::upper_bound(index.batches, file, {}, &batch_place::first);
  auto batch = node.get(std::prev(after)->batch);
  return batch->files.at(file - batch->first);
}

std::optional<found_line> first_line_with(std::string_view content, std::string_view word) {
  word_splitter splitter{content};
  while (auto next = splitter.next()) {
    if (*next != word)
      continue;
    auto position = splitter.position() - word.size();
    auto start = content.rfind('\n', position) + 1; // No newline before: npos + 1 is the start.
    auto line = content.substr(start, content.find('\n', position) - start);
    auto before = content.substr(0, start);
    return found_line{.number = 1 + static_cast<std::uint64_t>(std::ranges::count(before, '\n')),
                      .snippet = around(line, position - start)};
  }
  return std::nullopt;
}

} // namespace text_index
