// Claims a directory for a living node with a locked file, and sweeps what dead nodes left there. A
// lock that can be taken proves that its incarnation is dead, as a process id could not.

#include "mobula/store/spill/spill_claim.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "../system/incarnation_files.hpp"
#include "mobula/store/spill/spill_file.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

constexpr std::string_view spill_suffix = ".spill";
constexpr std::string_view lock_suffix = ".lock";

// A sweep holds a dead lock only while it removes files; every round yields to it.
constexpr int max_claim_attempts = 10'000;

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

/// Returns the `mobula-<cluster>-<incarnation>` that a file belongs to; nothing for files of
/// others.
std::optional<std::string> holder_of(std::string_view name) {
  if (name.ends_with(lock_suffix)) {
    name.remove_suffix(lock_suffix.size());
  } else if (name.ends_with(spill_suffix)) {
    name.remove_suffix(spill_suffix.size());
    auto dash = name.rfind('-');
    if (dash == std::string_view::npos || !consists_of(name.substr(dash + 1), "0123456789"))
      return std::nullopt;
    name = name.substr(0, dash);
  } else {
    return std::nullopt;
  }
  return names_holder(name) ? std::optional{std::string{name}} : std::nullopt;
}

struct holder_files {
  std::vector<std::filesystem::path> spill_files;
};

std::map<std::string, holder_files> list_holders(const std::filesystem::path& directory,
                                                 sweep_result& result) {
  std::map<std::string, holder_files> holders;
  std::error_code error;
  auto position = std::filesystem::directory_iterator{directory, error};
  while (!error && position != std::filesystem::directory_iterator{}) {
    auto name = position->path().filename().string();
    if (auto holder = holder_of(name)) {
      auto& files = holders[*holder];
      if (name.ends_with(spill_suffix))
        files.spill_files.push_back(position->path());
    }
    position.increment(error);
  }
  if (error)
    result.failures.push_back({directory.string(), io_operation::list, error.value()});
  return holders;
}

void remove_spill_file(const std::filesystem::path& file, const io_calls& calls,
                       sweep_result& result) {
  std::error_code ignored; // Without its size the file is removed all the same.
  auto bytes = std::filesystem::file_size(file, ignored);
  if (auto failure = remove_file(file, calls)) {
    result.failures.push_back(std::move(*failure));
    return;
  }
  ++result.files_removed;
  result.bytes_removed += ignored ? 0 : bytes;
}

void sweep_holder(const std::filesystem::path& lock_file, const holder_files& files,
                  const io_calls& calls, sweep_result& result) {
  file_handle lock{calls, calls.open(lock_file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0)};
  if (!lock.valid() && errno != ENOENT) {
    // A process that cannot be asked counts as alive.
    result.failures.push_back({lock_file.string(), io_operation::open, errno});
    ++result.incarnations_alive;
    return;
  }
  if (lock.valid() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    ++result.incarnations_alive;
    return;
  }
  auto failures_before = result.failures.size();
  for (const auto& file : files.spill_files)
    remove_spill_file(file, calls, result);
  // The lock file goes last, and under its lock: a claim that is being made on it notices.
  if (lock.valid() && result.failures.size() == failures_before)
    if (auto failure = remove_file(lock_file, calls))
      result.failures.push_back(std::move(*failure));
}

/// Returns a descriptor that holds the lock.
std::variant<int, io_failure> take_lock(const std::filesystem::path& path) {
  for (int attempt = 0; attempt < max_claim_attempts; ++attempt) {
    auto descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 && errno == EINTR)
      continue;
    if (descriptor < 0)
      return io_failure{path.string(), io_operation::open, errno};
    auto locked = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    auto error_number = errno;
    // Between our open and our lock a sweep may have taken the file for dead and removed it.
    if (locked && is_current(descriptor, path))
      return descriptor;
    ::close(descriptor);
    if (!locked && error_number != EWOULDBLOCK && error_number != EINTR)
      return io_failure{path.string(), io_operation::lock, error_number};
    std::this_thread::yield();
  }
  return io_failure{path.string(), io_operation::lock, EWOULDBLOCK};
}

} // namespace

std::string spill_file_name(std::string_view cluster, const incarnation_id& incarnation,
                            spill_file_id number) {
  return fmt::format("{}-{}{}", holder_name(cluster, incarnation),
                     static_cast<std::uint64_t>(number), spill_suffix);
}

std::string spill_lock_name(std::string_view cluster, const incarnation_id& incarnation) {
  return holder_name(cluster, incarnation) + std::string{lock_suffix};
}

// -- spill_claim ------------------------------------------------------------------

std::variant<spill_claim, io_failure> spill_claim::make(const std::filesystem::path& directory,
                                                        std::string_view cluster,
                                                        const incarnation_id& incarnation) {
  MOBULA_ASSERT(cluster.find('/') == std::string_view::npos);
  auto path = directory / spill_lock_name(cluster, incarnation);
  auto taken = take_lock(path);
  if (auto* failure = std::get_if<io_failure>(&taken))
    return std::move(*failure);
  return spill_claim{std::move(path), std::get<int>(taken)};
}

std::optional<io_failure> spill_claim::renew() {
  if (is_current(descriptor_, lock_file_))
    return std::nullopt;
  auto taken = take_lock(lock_file_);
  if (auto* failure = std::get_if<io_failure>(&taken))
    return std::move(*failure);
  ::close(std::exchange(descriptor_, std::get<int>(taken)));
  return std::nullopt;
}

spill_claim::spill_claim(std::filesystem::path lock_file, int descriptor) noexcept
  : lock_file_(std::move(lock_file)), descriptor_(descriptor) {
}

spill_claim::spill_claim(spill_claim&& other) noexcept
  : lock_file_(std::move(other.lock_file_)), home_(other.home_),
    descriptor_(std::exchange(other.descriptor_, -1)) {
}

spill_claim& spill_claim::operator=(spill_claim&& other) noexcept {
  std::swap(lock_file_, other.lock_file_);
  std::swap(home_, other.home_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

spill_claim::~spill_claim() {
  if (descriptor_ < 0)
    return;
  // Removed before it is unlocked, so that nobody can lock a file that is about to go.
  if (home_.is_this())
    ::unlink(lock_file_.c_str());
  ::close(descriptor_);
}

// -- spill_claims -----------------------------------------------------------------

std::optional<io_failure> spill_claims::renew(spill_directory directory) {
  std::unique_lock guard{mutex_};
  return claims_.at(static_cast<std::size_t>(directory)).renew();
}

void spill_claims::clear() {
  std::unique_lock guard{mutex_};
  claims_.clear();
}

// -- sweeping -----------------------------------------------------------------------

sweep_result sweep_directory(const std::filesystem::path& directory, const io_calls& calls) {
  sweep_result result;
  for (const auto& [holder, files] : list_holders(directory, result))
    sweep_holder(directory / (holder + std::string{lock_suffix}), files, calls, result);
  return result;
}

} // namespace mobula
