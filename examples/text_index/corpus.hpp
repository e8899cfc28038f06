#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <mobula/message.hpp>

namespace text_index {

/// A file that is not in the index, and why.
struct skipped_file {
  std::string name;
  std::string reason;

  friend bool operator==(const skipped_file&, const skipped_file&) = default;
};

/// Lets CAF carry it in messages.
MOBULA_MESSAGE(text_index::skipped_file, name, reason)

/// A file that was read.
struct source_file {
  std::string name;
  std::string content;
};

/// Where texts come from: files on disk, or whatever a test makes up.
class text_source {
public:
  using item = std::variant<source_file, skipped_file>;

  virtual ~text_source() = default;

  /// Returns the next file, or nothing when there are no more.
  virtual std::optional<item> next() = 0;
};

/// Reads files from disk, in the order given. Skips what is unreadable, binary (it holds a zero
/// byte near its start) or too large.
class file_source : public text_source {
public:
  file_source(std::vector<std::filesystem::path> files, std::uint64_t max_bytes);

  std::optional<item> next() override;

private:
  item read(const std::filesystem::path& file) const;

  std::vector<std::filesystem::path> files_;
  std::uint64_t max_bytes_;
  std::size_t position_ = 0;
};

/// What was found on disk.
struct corpus {
  /// Sorted, without duplicates.
  std::vector<std::filesystem::path> files;

  std::vector<skipped_file> skipped;
};

/// Finds all regular files at and below `paths`. Follows symbolic links to files but not those to
/// directories, which may form loops.
corpus find_files(const std::vector<std::filesystem::path>& paths);

/// Keeps at most `limit` files, evenly spread over the list.
void thin_out(std::vector<std::filesystem::path>& files, std::size_t limit);

} // namespace text_index
