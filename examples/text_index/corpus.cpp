// Finds files and reads them one by one. What is no text, too large or not to be read is skipped,
// with the reason.

#include "corpus.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace text_index {

namespace fs = std::filesystem;

namespace {

/// A binary file shows itself within this many bytes, as for grep and git.
constexpr std::size_t binary_check_bytes = 8192;

std::string describe(int error_number) {
  return std::generic_category().message(error_number);
}

/// Closes a file descriptor.
class open_file {
public:
  // Not blocking: the name may have become that of a pipe without a writer.
  explicit open_file(const fs::path& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    // nop
  }

  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  ~open_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  [[nodiscard]] int get() const noexcept {
    return descriptor_;
  }

private:
  int descriptor_;
};

/// Fills `buffer` as far as the file goes. Returns the number of bytes, or -1 with `errno` set.
std::ptrdiff_t read_up_to(int descriptor, std::string& buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    auto count = ::read(descriptor, buffer.data() + filled, buffer.size() - filled);
    if (count == 0)
      break;
    if (count > 0)
      filled += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      return -1;
  }
  return static_cast<std::ptrdiff_t>(filled);
}

bool is_binary(std::string_view content) noexcept {
  return content.substr(0, binary_check_bytes).find('\0') != std::string_view::npos;
}

/// Walks through directories without following links to them.
class finder {
public:
  void add(const fs::path& path) {
    std::error_code error;
    auto status = fs::status(path, error);
    if (error || !fs::exists(status))
      skip(path, error ? error.message() : describe(ENOENT));
    else if (fs::is_directory(status))
      pending_.push_back(path);
    else if (fs::is_regular_file(status))
      found_.files.push_back(path);
    else
      skip(path, "not a regular file");
  }

  corpus walk() {
    while (!pending_.empty()) {
      auto directory = std::move(pending_.back());
      pending_.pop_back();
      list(directory);
    }
    std::ranges::sort(found_.files);
    auto first = std::unique(found_.files.begin(), found_.files.end());
    found_.files.erase(first, found_.files.end());
    std::ranges::sort(found_.skipped, {}, &skipped_file::name);
    return std::move(found_);
  }

private:
  void list(const fs::path& directory) {
    std::error_code error;
    fs::directory_iterator entries{directory, error};
    while (!error && entries != fs::directory_iterator{}) {
      add_entry(*entries);
      entries.increment(error);
    }
    if (error)
      skip(directory, error.message());
  }

  void add_entry(const fs::directory_entry& entry) {
    std::error_code ignored; // `add` meets the same error and reports it.
    if (entry.is_symlink(ignored) && entry.is_directory(ignored))
      skip(entry.path(), "a link to a directory");
    else
      add(entry.path());
  }

  void skip(const fs::path& path, std::string reason) {
    found_.skipped.push_back({path.string(), std::move(reason)});
  }

  std::vector<fs::path> pending_;
  corpus found_;
};

} // namespace

// -- file_source ----------------------------------------------------------------------------------

file_source::file_source(std::vector<fs::path> files, std::uint64_t max_bytes)
  : files_(std::move(files)), max_bytes_(max_bytes) {
  // nop
}

std::optional<text_source::item> file_source::next() {
  if (position_ == files_.size())
    return std::nullopt;
  return read(files_[position_++]);
}

text_source::item file_source::read(const fs::path& path) const {
  auto skip = [&](std::string reason) -> item {
    return skipped_file{path.string(), std::move(reason)};
  };
  open_file file{path};
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0)
    return skip(describe(errno));
  if (!S_ISREG(about.st_mode))
    return skip("not a regular file");
  auto too_large = fmt::format("larger than {} bytes", max_bytes_);
  if (static_cast<std::uint64_t>(about.st_size) > max_bytes_)
    return skip(too_large);
  // One byte more than there should be shows whether the file grew meanwhile.
  std::string content(static_cast<std::size_t>(about.st_size) + 1, '\0');
  auto size = read_up_to(file.get(), content);
  if (size < 0)
    return skip(describe(errno));
  if (size > about.st_size)
    return skip("it grew while it was read");
  content.resize(static_cast<std::size_t>(size));
  if (is_binary(content))
    return skip("binary");
  return source_file{path.string(), std::move(content)};
}

// -- finding files --------------------------------------------------------------------------------

corpus find_files(const std::vector<fs::path>& paths) {
  finder search;
  for (const auto& path : paths)
    search.add(path);
  return search.walk();
}

void thin_out(std::vector<fs::path>& files, std::size_t limit) {
  if (files.size() <= limit)
    return;
  for (std::size_t kept = 0; kept < limit; ++kept)
    std::swap(files[kept], files[kept * files.size() / limit]);
  files.resize(limit);
}

} // namespace text_index
