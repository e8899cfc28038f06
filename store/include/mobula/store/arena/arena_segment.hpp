#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/arena_layout.hpp"
#include "mobula/store/arena/arena_mapping.hpp"
#include "mobula/store/system/home_process.hpp"
#include "mobula/store/system/io_calls.hpp"
#include "mobula/store/system/sweep_result.hpp"

/// A node's shared memory: a file `mobula-<cluster>-<incarnation>.arena` on a tmpfs, mapped by its
/// owner and by every process that reads from it.
///
/// *Life.* The owner holds an exclusive `flock` on the file, which the kernel drops when the
/// process ends, however it ends: who can take the lock knows that the incarnation is dead (see
/// spill_claim.hpp for why not process ids). The file is complete and locked before it has a name,
/// so nobody ever sees a half-made arena, or a living one without its lock.
///
/// *No SIGBUS.* The file is as long as the arena from the start, but sparse: touching a page for
/// which the system has no memory would kill the process. Therefore only committed memory is
/// touched: `commit` makes the kernel reserve the pages, or say that it cannot. What the tables at
/// the start need is reserved by `create`. A memory cgroup answers too late for that (it kills), so
/// `create` refuses sizes above what the cgroup allows.

namespace mobula {

/// Returns `mobula-<cluster>-<incarnation>.arena`. REQUIRES: no `/` in the cluster's name.
[[nodiscard]] std::string arena_file_name(std::string_view cluster,
                                          const incarnation_id& incarnation);

/// A node's own arena. Moving it does not move the memory.
class arena_segment {
public:
  /// Makes the arena; refuses one larger than its directory has space for. Sweeps find files that
  /// `arena_file_name` named. REQUIRES: `layout` comes from `plan_arena`.
  [[nodiscard]] static std::variant<arena_segment, io_failure> create(std::filesystem::path path,
                                                                      arena_layout layout);

  arena_segment(arena_segment&& other) noexcept
    : path_(std::move(other.path_)), home_(other.home_),
      published_(std::exchange(other.published_, false)), layout_(std::move(other.layout_)),
      mapping_(std::move(other.mapping_)) {
    // nop
  }

  arena_segment& operator=(arena_segment&& other) noexcept;

  /// Removes the name, if that was not done before, and not in a forked child. Processes that have
  /// the arena mapped may go on reading.
  ~arena_segment();

  /// Removes the name. The memory stays until the end.
  void unpublish() noexcept;

  /// Takes memory for all pages that a range touches and maps them, so that their first use costs
  /// no page fault. What is committed already stays as it is, and may be in use meanwhile. After a
  /// failure a part of the range may hold memory. Thread-safe. REQUIRES: within the arena.
  [[nodiscard]] std::optional<io_failure> commit(arena_range range) const;

  [[nodiscard]] const arena_layout& layout() const noexcept {
    return layout_;
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept {
    return path_;
  }

  /// Returns the memory of a range. REQUIRES: within the arena; only what is committed is touched.
  [[nodiscard]] std::span<std::byte> bytes(arena_range range) const noexcept;

  [[nodiscard]] const arena_mapping& mapping() const noexcept {
    return mapping_;
  }

private:
  arena_segment(std::filesystem::path path, arena_layout layout, arena_mapping mapping) noexcept;

  /// Takes memory for all pages that a range touches, which are mapped when they are first used.
  [[nodiscard]] std::optional<io_failure> reserve(arena_range range) const;

  std::filesystem::path path_;
  home_process home_;
  bool published_ = false;
  arena_layout layout_;
  arena_mapping mapping_;
};

/// A file that is no arena this version can read.
struct arena_refusal {
  std::string path;
  arena_flaw flaw;
};

/// Returns the path, what is wrong with the file, and what to do about it.
[[nodiscard]] std::string explain(const arena_refusal& refusal);

/// The arena of another node. Objects and the header are mapped read-only, the registration words
/// and the object table read-write: pins are written there.
class mapped_arena {
public:
  [[nodiscard]] static std::variant<mapped_arena, io_failure, arena_refusal>
  open(const std::filesystem::path& path);

  [[nodiscard]] const arena_layout& layout() const noexcept {
    return layout_;
  }

  /// Returns the bytes of a range. REQUIRES: within the arena, and committed by its owner, as all
  /// sealed objects are.
  [[nodiscard]] std::span<const std::byte> bytes(arena_range range) const noexcept;

  [[nodiscard]] const arena_mapping& mapping() const noexcept {
    return mapping_;
  }

private:
  mapped_arena(arena_layout layout, arena_mapping mapping) noexcept;

  arena_layout layout_;
  arena_mapping mapping_;
};

/// Removes the arenas of dead incarnations, of any cluster. Those of living ones, and all other
/// files, stay. Several sweeps and nodes that start may run at once.
[[nodiscard]] sweep_result sweep_arenas(const std::filesystem::path& directory,
                                        const io_calls& calls = system_io_calls());

} // namespace mobula
