// Makes, maps, commits and sweeps the files of arenas. A file gets its name only when it is
// complete and locked, so that nobody ever sees a half-made arena, or a living one without its
// lock.

#include "mobula/store/arena/arena_segment.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "../system/incarnation_files.hpp"
#include "mobula/store/arena/arena_capacity.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

// Small enough that a process with frequent signals, which interrupt and undo a reservation, gets
// through one.
constexpr std::uint64_t commit_step_bytes = 16ULL << 20;

constexpr int max_interruptions = 1'000;

std::uint64_t page_bytes() {
  static const auto result = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return result;
}

/// Returns the number of the error, or 0. `call` returns 0 on success.
template <class Call>
int without_interruptions(Call call) {
  for (int attempt = 0; attempt < max_interruptions; ++attempt) {
    if (call() == 0)
      return 0;
    if (errno != EINTR && errno != EAGAIN)
      return errno;
  }
  return EINTR;
}

void touch_pages(std::byte* start, std::uint64_t size) {
  // A write that changes nothing, even if another thread writes the same byte. Relaxed: only the
  // page fault matters.
  for (std::uint64_t offset = 0; offset < size; offset += page_bytes())
    std::atomic_ref{*reinterpret_cast<unsigned char*>(start + offset)}.fetch_or(
      0, std::memory_order_relaxed);
}

/// Maps reserved pages. Returns the number of the error, or 0.
int populate(std::byte* start, std::uint64_t size) {
  auto error = without_interruptions([&] { return ::madvise(start, size, MADV_POPULATE_WRITE); });
  // Linux before 5.14 does not know the advice.
  if (error == EINVAL) {
    touch_pages(start, size);
    return 0;
  }
  return error;
}

io_failure shortage_failure(const std::filesystem::path& path, int error, std::uint64_t wanted,
                            std::uint64_t available) {
  return {path.string(), io_operation::reserve, error, space_shortage{wanted, available}};
}

std::uint64_t free_around(const std::filesystem::path& file) {
  auto result = available_bytes(file.parent_path());
  // Without the figure, the failure is still told.
  auto* bytes = std::get_if<std::uint64_t>(&result);
  return bytes != nullptr ? *bytes : 0;
}

/// Makes the kernel promise memory for pages of a file. Returns the number of the error, or 0.
int reserve_pages(int descriptor, std::uint64_t start, std::uint64_t size) {
  return without_interruptions([&] {
    return ::fallocate(descriptor, 0, static_cast<off_t>(start), static_cast<off_t>(size));
  });
}

/// Calls `step` for parts of all pages that a range touches, until it returns an error's number.
template <class Step>
std::optional<io_failure> in_steps(const std::filesystem::path& file, arena_range range,
                                   Step step) {
  if (range.size == 0)
    return std::nullopt;
  auto start = range.offset / page_bytes() * page_bytes();
  auto end = (range.end() + page_bytes() - 1) / page_bytes() * page_bytes();
  for (; start < end; start += std::min(commit_step_bytes, end - start)) {
    auto size = std::min(commit_step_bytes, end - start);
    if (auto error = step(start, size); error != 0)
      return shortage_failure(file, error, end - start, free_around(file));
  }
  return std::nullopt;
}

std::variant<arena_mapping, io_failure> map_file(const std::filesystem::path& path, int descriptor,
                                                 std::uint64_t size, int protection) {
  auto* base = ::mmap(nullptr, size, protection, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (base == MAP_FAILED) {
    auto error = errno;
    ::close(descriptor);
    return io_failure{path.string(), io_operation::map, error};
  }
  return arena_mapping{descriptor, static_cast<std::byte*>(base), size};
}

/// Makes a locked file of the given size that has no name yet.
std::variant<arena_mapping, io_failure> make_file(const std::filesystem::path& directory,
                                                  std::uint64_t size) {
  auto failed = [&](io_operation operation) {
    return io_failure{directory.string(), operation, errno};
  };
  auto descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return failed(io_operation::open);
  auto operation = io_operation::lock;
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    operation = io_operation::reserve;
    if (::ftruncate(descriptor, static_cast<off_t>(size)) == 0)
      return map_file(directory, descriptor, size, PROT_READ | PROT_WRITE);
  }
  auto failure = failed(operation);
  ::close(descriptor);
  return failure;
}

/// Gives the file its name. Returns the number of the error, or 0.
int publish(int descriptor, const std::filesystem::path& path) {
  // The way that needs no privilege (open(2), "O_TMPFILE").
  auto self = fmt::format("/proc/self/fd/{}", descriptor);
  return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0
                                                                                          : errno;
}

std::variant<arena_layout, arena_flaw, int> read_layout(int descriptor) {
  struct stat figures {};
  arena_header header{};
  if (::fstat(descriptor, &figures) != 0)
    return errno;
  if (!S_ISREG(figures.st_mode) || static_cast<std::size_t>(figures.st_size) < header.size())
    return arena_flaw::not_an_arena;
  // A process that may cut a file short can have its readers in place end by SIGBUS.
  if (figures.st_uid != ::geteuid())
    return arena_flaw::of_other_user;
  // Not through a mapping: a file that shrinks meanwhile would kill us.
  auto size = ::pread(descriptor, header.data(), header.size(), 0);
  if (size < 0)
    return errno;
  if (static_cast<std::size_t>(size) != header.size())
    return arena_flaw::truncated;
  auto decoded = decode_header(header, static_cast<std::uint64_t>(figures.st_size));
  if (auto* flaw = std::get_if<arena_flaw>(&decoded))
    return *flaw;
  return std::get<arena_layout>(std::move(decoded));
}

std::string_view describe(arena_flaw flaw) {
  switch (flaw) {
    case arena_flaw::not_an_arena:
      return "is not an arena; check the path";
    case arena_flaw::of_other_user:
      return "belongs to another user; run the nodes of a host as one user to have them read each "
             "other's values in place";
    case arena_flaw::wrong_version:
      return "has another format version; run the same version of Mobula on all nodes of a host";
    case arena_flaw::damaged:
      return "has a damaged header; restart the node that made it";
    case arena_flaw::truncated:
      return "is shorter than its header says; restart the node that made it, and keep others from "
             "writing to the arena directory";
  }
  return "cannot be read";
}

void sweep_arena(const std::filesystem::path& path, const io_calls& calls, sweep_result& result) {
  file_handle file{calls, calls.open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0)};
  if (!file.valid()) {
    if (errno == ENOENT)
      return; // Another sweep was faster.
    // A process that cannot be asked counts as alive.
    result.failures.push_back({path.string(), io_operation::open, errno});
    ++result.incarnations_alive;
    return;
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    ++result.incarnations_alive;
    return;
  }
  struct stat figures {};
  if (!is_current(file.get(), path) || ::fstat(file.get(), &figures) != 0)
    return;
  if (calls.unlink(path.c_str()) != 0) {
    result.failures.push_back({path.string(), io_operation::remove, errno});
    return;
  }
  ++result.files_removed;
  // stat(2) counts in units of 512 bytes whatever the block size.
  result.bytes_removed += static_cast<std::uint64_t>(figures.st_blocks) * 512;
}

constexpr std::string_view arena_suffix = ".arena";

bool is_arena_name(std::string_view name) {
  if (!name.ends_with(arena_suffix))
    return false;
  name.remove_suffix(arena_suffix.size());
  return names_holder(name);
}

} // namespace

std::string arena_file_name(std::string_view cluster, const incarnation_id& incarnation) {
  MOBULA_ASSERT(cluster.find('/') == std::string_view::npos);
  return holder_name(cluster, incarnation) + std::string{arena_suffix};
}

// -- arena_segment ----------------------------------------------------------------

std::variant<arena_segment, io_failure> arena_segment::create(std::filesystem::path path,
                                                              arena_layout layout) {
  auto directory = path.parent_path();
  auto available = available_bytes(directory);
  if (auto* failure = std::get_if<io_failure>(&available))
    return std::move(*failure);
  if (auto bytes = std::get<std::uint64_t>(available); bytes < layout.total_bytes)
    return shortage_failure(path, ENOSPC, layout.total_bytes, bytes);
  auto made = make_file(directory, layout.total_bytes);
  if (auto* failure = std::get_if<io_failure>(&made))
    return std::move(*failure);
  // Has no name to remove until it is published, but failures name it.
  arena_segment result{std::move(path), std::move(layout),
                       std::get<arena_mapping>(std::move(made))};
  // The table is only reserved: most of it is not looked at for long, and would count as resident.
  auto failure = result.commit({0, result.layout_.readers.end()});
  if (!failure)
    failure = result.reserve(result.layout_.table);
  if (failure)
    return *std::move(failure);
  std::ranges::copy(encode_header(result.layout_), result.mapping_.at(0));
  if (auto error = publish(result.mapping_.descriptor(), result.path_); error != 0)
    return io_failure{result.path_.string(), io_operation::publish, error};
  result.published_ = true;
  return result;
}

arena_segment::arena_segment(std::filesystem::path path, arena_layout layout,
                             arena_mapping mapping) noexcept
  : path_(std::move(path)), layout_(std::move(layout)), mapping_(std::move(mapping)) {
}

arena_segment& arena_segment::operator=(arena_segment&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(home_, other.home_);
  std::swap(published_, other.published_);
  std::swap(layout_, other.layout_);
  std::swap(mapping_, other.mapping_);
  return *this;
}

arena_segment::~arena_segment() {
  unpublish();
}

void arena_segment::unpublish() noexcept {
  // Removed before it is unlocked. Only our own file: a cleaner may have removed it, and its name
  // may stand for another one.
  if (std::exchange(published_, false) && home_.is_this()
      && is_current(mapping_.descriptor(), path_))
    ::unlink(path_.c_str());
}

std::optional<io_failure> arena_segment::commit(arena_range range) const {
  MOBULA_ASSERT(range.offset <= mapping_.size() && range.size <= mapping_.size() - range.offset);
  return in_steps(path_, range, [this](std::uint64_t start, std::uint64_t size) {
    auto error = reserve_pages(mapping_.descriptor(), start, size);
    return error == 0 ? populate(mapping_.at(start), size) : error;
  });
}

std::optional<io_failure> arena_segment::reserve(arena_range range) const {
  return in_steps(path_, range, [this](std::uint64_t start, std::uint64_t size) {
    return reserve_pages(mapping_.descriptor(), start, size);
  });
}

std::span<std::byte> arena_segment::bytes(arena_range range) const noexcept {
  MOBULA_ASSERT(range.offset <= mapping_.size() && range.size <= mapping_.size() - range.offset);
  return {mapping_.at(range.offset), range.size};
}

// -- mapped_arena -----------------------------------------------------------------

std::variant<mapped_arena, io_failure, arena_refusal>
mapped_arena::open(const std::filesystem::path& path) {
  // Not only for the table: the kernel grants exclusive byte locks on writable files only.
  auto descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0)
    return io_failure{path.string(), io_operation::open, errno};
  auto read = read_layout(descriptor);
  if (auto* layout = std::get_if<arena_layout>(&read)) {
    auto mapped = map_file(path, descriptor, layout->total_bytes, PROT_READ);
    if (auto* failure = std::get_if<io_failure>(&mapped))
      return std::move(*failure);
    auto& mapping = std::get<arena_mapping>(mapped);
    auto start = layout->readers.offset;
    if (::mprotect(mapping.at(start), layout->heap.offset - start, PROT_READ | PROT_WRITE) != 0)
      return io_failure{path.string(), io_operation::map, errno};
    return mapped_arena{std::move(*layout), std::move(mapping)};
  }
  ::close(descriptor);
  if (auto* flaw = std::get_if<arena_flaw>(&read))
    return arena_refusal{path.string(), *flaw};
  return io_failure{path.string(), io_operation::read, std::get<int>(read)};
}

mapped_arena::mapped_arena(arena_layout layout, arena_mapping mapping) noexcept
  : layout_(std::move(layout)), mapping_(std::move(mapping)) {
}

std::span<const std::byte> mapped_arena::bytes(arena_range range) const noexcept {
  MOBULA_ASSERT(range.offset <= mapping_.size() && range.size <= mapping_.size() - range.offset);
  return {mapping_.at(range.offset), range.size};
}

std::string explain(const arena_refusal& refusal) {
  return fmt::format("{} {}", refusal.path, describe(refusal.flaw));
}

// -- sweeping -----------------------------------------------------------------------

sweep_result sweep_arenas(const std::filesystem::path& directory, const io_calls& calls) {
  sweep_result result;
  std::error_code error;
  auto position = std::filesystem::directory_iterator{directory, error};
  while (!error && position != std::filesystem::directory_iterator{}) {
    if (is_arena_name(position->path().filename().string()))
      sweep_arena(position->path(), calls, result);
    position.increment(error);
  }
  if (error)
    result.failures.push_back({directory.string(), io_operation::list, error.value()});
  return result;
}

} // namespace mobula
