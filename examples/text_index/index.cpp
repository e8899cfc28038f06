// The index of some files: counts their words, splits the result into partitions, and merges
// indexes, in any order.

#include "index.hpp"

#include <algorithm>
#include <iterator>

#include "words.hpp"

namespace text_index {

namespace {

/// Merges two sorted lists, taking the elements of the first. `combine` is called for elements that
/// both have.
template <class T, class Key, class F>
std::vector<T> merge_sorted(std::vector<T>& left, const std::vector<T>& right, Key key, F combine) {
  std::vector<T> result;
  result.reserve(left.size() + right.size());
  auto mine = left.begin();
  auto other = right.begin();
  while (mine != left.end() && other != right.end()) {
    if (key(*mine) < key(*other)) {
      result.push_back(std::move(*mine++));
    } else if (key(*other) < key(*mine)) {
      result.push_back(*other++);
    } else {
      combine(*mine, *other++);
      result.push_back(std::move(*mine++));
    }
  }
  std::move(mine, left.end(), std::back_inserter(result));
  std::copy(other, right.end(), std::back_inserter(result));
  return result;
}

void merge_entry(word_entry& target, const word_entry& other) {
  target.count += other.count;
  auto middle = static_cast<std::ptrdiff_t>(target.files.size());
  target.files.insert(target.files.end(), other.files.begin(), other.files.end());
  std::inplace_merge(target.files.begin(), target.files.begin() + middle, target.files.end());
}

void sort_by_word(std::vector<word_entry>& entries) {
  std::ranges::sort(entries, {}, &word_entry::word);
}

} // namespace

std::size_t partition_of(std::string_view word, std::size_t partitions) noexcept {
  // FNV-1a: the same on every machine, unlike the standard library's hash.
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (auto c : word)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return static_cast<std::size_t>(hash % partitions);
}

void merge_into(partial_index& target, const partial_index& other) {
  target.batches = merge_sorted(
    target.batches, other.batches, [](const batch_place& place) { return place.first; },
    [](const batch_place&, const batch_place&) {});
  target.words = merge_sorted(
    target.words, other.words, [](const word_entry& entry) { return std::string_view{entry.word}; },
    merge_entry);
}

void index_draft::add(file_number file, std::string_view content) {
  word_splitter splitter{content};
  while (auto word = splitter.next()) {
    auto position = table_.find(*word);
    if (position == table_.end())
      position = table_.try_emplace(std::string{*word}).first;
    auto& found = position->second;
    ++found.count;
    if (found.files.empty() || found.files.back() != file)
      found.files.push_back(file);
    ++words_;
  }
}

std::vector<partial_index> index_draft::finish(std::size_t partitions, const batch_place& batch) {
  std::vector<partial_index> result(partitions);
  while (!table_.empty()) {
    auto node = table_.extract(table_.begin());
    auto& part = result[partition_of(node.key(), partitions)];
    auto& found = node.mapped();
    part.words.push_back({std::move(node.key()), found.count, std::move(found.files)});
  }
  for (auto& part : result) {
    part.batches.push_back(batch);
    sort_by_word(part.words);
  }
  words_ = 0;
  return result;
}

} // namespace text_index
