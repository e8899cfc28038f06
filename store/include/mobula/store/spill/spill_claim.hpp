#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/system/home_process.hpp"
#include "mobula/store/system/io_calls.hpp"
#include "mobula/store/system/sweep_result.hpp"

/// How spill files outlive their node by no more than the next start.
///
/// A node claims a directory before its first spill file there: it creates
/// `mobula-<cluster>-<incarnation>.lock` and holds an exclusive `flock` on it. The kernel drops
/// that lock when the process ends, however it ends, so anybody who can take it knows that the
/// incarnation is dead. Process ids would not do: they are reused, and mean nothing in another
/// container that shares the directory. `flock` belongs to the open file, not to the process, so
/// nodes in one process see each other's claims too. A child that is forked without exec keeps the
/// lock while it lives; that delays the sweep, and harms nothing. It gives no claim up.
///
/// The claim is made before the first spill file and given up after the last, therefore a spill
/// file whose lock file is missing is dead as well.

namespace mobula {

/// Returns `mobula-<cluster>-<incarnation>-<number>.spill`.
[[nodiscard]] std::string spill_file_name(std::string_view cluster,
                                          const incarnation_id& incarnation, spill_file_id number);

/// Returns `mobula-<cluster>-<incarnation>.lock`.
[[nodiscard]] std::string spill_lock_name(std::string_view cluster,
                                          const incarnation_id& incarnation);

/// Says to all who ask that an incarnation lives, for as long as this exists.
class spill_claim {
public:
  /// Claims a directory, which must exist. REQUIRES: no `/` in the cluster's name.
  [[nodiscard]] static std::variant<spill_claim, io_failure>
  make(const std::filesystem::path& directory, std::string_view cluster,
       const incarnation_id& incarnation);

  spill_claim(spill_claim&& other) noexcept;
  spill_claim& operator=(spill_claim&& other) noexcept;
  ~spill_claim();

  /// Claims the directory anew if the lock file is no longer there: somebody removed it, or the
  /// whole directory, and files written from now on would look dead. Returns why that failed.
  [[nodiscard]] std::optional<io_failure> renew();

private:
  spill_claim(std::filesystem::path lock_file, int descriptor) noexcept;

  std::filesystem::path lock_file_;
  home_process home_;
  int descriptor_;
};

/// A node's claims on all of its directories. Thread-safe.
class spill_claims {
public:
  void add(spill_claim claim) {
    claims_.push_back(std::move(claim));
  }

  [[nodiscard]] bool empty() const noexcept {
    return claims_.empty();
  }

  /// To be called before each new file. See `spill_claim::renew`.
  [[nodiscard]] std::optional<io_failure> renew(spill_directory directory);

  /// Gives all of them up. REQUIRES: no file is left.
  void clear();

private:
  std::mutex mutex_;
  std::vector<spill_claim> claims_; ///< all added before threads share this
};

/// Removes the spill files of dead incarnations, of any cluster. Files of living ones, and all
/// others, stay. Several sweeps and claims may run at once.
[[nodiscard]] sweep_result sweep_directory(const std::filesystem::path& directory,
                                           const io_calls& calls = system_io_calls());

} // namespace mobula
