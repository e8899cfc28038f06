// The parts of text_index that no actor has to do with: words, indexes, and choosing files.

#include "index.hpp"

#include <doctest/doctest.h>

#include "corpus.hpp"
#include "printable.hpp"
#include "query.hpp"
#include "words.hpp"

using namespace text_index;

namespace {

std::vector<std::string> words_of(std::string_view text) {
  word_splitter splitter{text};
  std::vector<std::string> result;
  while (auto word = splitter.next())
    result.emplace_back(*word);
  return result;
}

partial_index index_of(file_number file, std::string_view text) {
  index_draft draft;
  draft.add(file, text);
  return draft.finish(1, {.first = file, .batch = {}}).front();
}

} // namespace

TEST_CASE("text is split into lowered words") {
  CHECK(words_of("The quick, BROWN fox_2; 3rd x")
        == std::vector<std::string>{"the", "quick", "brown", "fox_2"});
}

TEST_CASE("words of other alphabets and bytes that are no text stay whole") {
  CHECK(words_of("caf\xc3\xa9 \xff\xfe!") == std::vector<std::string>{"caf\xc3\xa9", "\xff\xfe"});
}

TEST_CASE("text without words has none") {
  CHECK(words_of("").empty());
  CHECK(words_of("  .,; 1 22 a ").empty());
  CHECK(words_of(std::string(100'000, 'x')).empty());
}

TEST_CASE("an index counts words and lists their files in order") {
  index_draft draft;
  draft.add(7, "owner owner pin");
  draft.add(8, "pin");
  CHECK(draft.words() == 4);
  auto index = draft.finish(1, {.first = 7, .batch = {}}).front();
  REQUIRE(index.words.size() == 2);
  CHECK(index.words[0].word == "owner");
  CHECK(index.words[0].count == 2);
  CHECK(index.words[1].files == std::vector<file_number>{7, 8});
}

TEST_CASE("each word falls into one partition") {
  index_draft draft;
  draft.add(0, "owner pin seal shard borrower lineage");
  std::size_t words = 0;
  for (const auto& part : draft.finish(4, {.first = 0, .batch = {}}))
    words += part.words.size();
  CHECK(words == 6);
}

TEST_CASE("merging gives the same in any order") {
  auto first = index_of(0, "pin owner");
  auto second = index_of(1, "owner shard");
  auto one_way = first;
  merge_into(one_way, second);
  auto other_way = second;
  merge_into(other_way, first);
  REQUIRE(one_way.words.size() == 3);
  for (std::size_t at = 0; at < 3; ++at) {
    CHECK(one_way.words[at].word == other_way.words[at].word);
    CHECK(one_way.words[at].files == other_way.words[at].files);
  }
}

TEST_CASE("thinning out keeps files from everywhere") {
  std::vector<std::filesystem::path> files;
  for (int number = 0; number < 100; ++number)
    files.emplace_back(std::to_string(number));
  thin_out(files, 10);
  CHECK(files.size() == 10);
  CHECK(files.front() == "0");
  CHECK(std::stoi(files.back()) >= 80);
}

TEST_CASE("a word is found where it stands as a word") {
  auto line = first_line_with("pinned\nto pin\n", "pin");
  REQUIRE(line);
  CHECK(line->number == 2);
  CHECK_FALSE(first_line_with("pinned", "pin"));
}

TEST_CASE("a single thing is reported in the singular") {
  CHECK(counted(0, "file", "files") == "0 files");
  CHECK(counted(1, "file", "files") == "1 file");
  CHECK(counted(1'234, "batch was", "batches were") == "1,234 batches were");
}
