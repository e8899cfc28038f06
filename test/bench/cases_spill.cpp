// Cases of objects that go to disk and come back, against plain sequential writes and reads.

#include "cases.hpp"

#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "manual_timing.hpp"
#include "mobula/object_builder.hpp"

namespace mobula::bench {

namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
constexpr std::size_t spilled_bytes = 256 * mib;

using words = array<std::uint64_t>;

/// A directory that goes with what is in it.
class scratch_folder {
public:
  explicit scratch_folder(const std::string& parent)
    : path_(std::filesystem::path{parent} / fmt::format("mobula-bench-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }

  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path() const {
    return path_.string();
  }

private:
  std::filesystem::path path_;
};

class open_file {
public:
  open_file(const std::filesystem::path& path, int flags)
    : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0)
      throw std::runtime_error("cannot open " + path.string());
  }

  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  ~open_file() {
    ::close(descriptor_);
  }

  /// Waits until the disk has what was written.
  void sync() const {
    if (::fdatasync(descriptor_) != 0)
      throw std::runtime_error("cannot sync a file");
  }

  /// Has the kernel forget the pages, so that the next read goes to the disk.
  void forget_pages() const {
    sync();
    ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
  }

  [[nodiscard]] int get() const {
    return descriptor_;
  }

private:
  int descriptor_;
};

void for_each_file(const std::string& directory, const std::function<void(open_file&)>& use) {
  for (const auto& entry : std::filesystem::directory_iterator{directory})
    if (entry.is_regular_file()) {
      open_file file{entry.path(), O_RDWR};
      use(file);
    }
}

/// A node that spills whatever is put: its threshold lies near zero. All its memory is faulted in,
/// as the baseline's is: the disk is to be measured, not the kernel's zeroing of pages.
class eager_spiller {
public:
  eager_spiller(caf::actor_system& system, const std::string& directory)
    : node_(system, options(system, directory)) {
    while (!is_warm(node_.stats()))
      std::this_thread::sleep_for(nap);
  }

  [[nodiscard]] mobula::node& node() {
    return node_;
  }

  /// Waits until all of `put_bytes` are on disk but for the little that stays below the low-water
  /// mark.
  void await_spills(std::size_t put_bytes) {
    const auto kept = node_.options().store_size_bytes / 100;
    while (node_.stats().written.bytes + kept < put_bytes)
      std::this_thread::sleep_for(nap);
  }

private:
  /// Short against what is measured; questions without a pause would take a core from the disk's
  /// work.
  static constexpr auto nap = std::chrono::microseconds{500};

  static bool is_warm(const node_stats& stats) {
    return stats.prefault_ready_bytes >= stats.prefault_target_bytes;
  }

  static node_options options(caf::actor_system& system, const std::string& directory) {
    auto result = read_options(system.config());
    result.store_size_bytes = 4 * spilled_bytes; // a quarter is the most that stays faulted in
    result.prefault_bytes = spilled_bytes;
    result.shards = 1;
    result.spill_directories = {directory};
    result.spill_threshold_percent = 1;
    return result;
  }

  mobula::node node_;
};

/// Puts objects of one size, and waits until all but the last few are on disk.
std::vector<ObjectRef<words>> spill_all(eager_spiller& spiller, std::size_t object_bytes) {
  const std::vector<std::uint64_t> source(object_bytes / sizeof(std::uint64_t), 1);
  const words value{std::span{source}};
  std::vector<ObjectRef<words>> refs;
  for (std::size_t bytes = 0; bytes < spilled_bytes; bytes += object_bytes)
    refs.push_back(spiller.node().put(value));
  spiller.await_spills(spilled_bytes);
  return refs;
}

side spill(bench_node& bench, std::size_t object_bytes, const std::string& parent) {
  return [&system = bench.system(), object_bytes, parent](benchmark::State& state) {
    for (auto _ : state) {
      const scratch_folder folder{parent};
      eager_spiller spiller{system, folder.path()};
      std::vector<ObjectRef<words>> refs;
      state.SetIterationTime(seconds_of([&] {
        refs = spill_all(spiller, object_bytes);
        for_each_file(folder.path(), [](open_file& file) { file.sync(); });
      }));
    }
  };
}

side restore(bench_node& bench, std::size_t object_bytes, const std::string& parent) {
  return [&system = bench.system(), object_bytes, parent](benchmark::State& state) {
    for (auto _ : state) {
      const scratch_folder folder{parent};
      eager_spiller spiller{system, folder.path()};
      const auto refs = spill_all(spiller, object_bytes);
      for_each_file(folder.path(), [](open_file& file) { file.forget_pages(); });
      outcomes<words> values;
      state.SetIterationTime(seconds_of([&] { values = spiller.node().get_all(refs); }));
      for (const auto& value : values)
        if (!value.has_value())
          return state.SkipWithError("an object did not come back");
    }
  };
}

void write_file(const std::string& path) {
  const std::vector<char> source(mib, 'x');
  open_file file{path, O_CREAT | O_EXCL | O_WRONLY};
  for (std::size_t done = 0; done < spilled_bytes; done += source.size())
    if (::write(file.get(), source.data(), source.size()) != static_cast<ssize_t>(source.size()))
      throw std::runtime_error("cannot write " + path);
  file.sync();
}

void read_file(const open_file& file, std::span<char> target) {
  for (std::size_t done = 0; done < target.size(); done += mib)
    if (::read(file.get(), target.data() + done, mib) != static_cast<ssize_t>(mib))
      throw std::runtime_error("cannot read a file");
}

side plain_write(const std::string& parent) {
  return [parent](benchmark::State& state) {
    for (auto _ : state) {
      const scratch_folder folder{parent};
      state.SetIterationTime(seconds_of([&] { write_file(folder.path() + "/plain"); }));
    }
  };
}

side plain_read(const std::string& parent) {
  return [parent](benchmark::State& state) {
    std::vector<char> target(spilled_bytes, 'y');
    for (auto _ : state) {
      const scratch_folder folder{parent};
      write_file(folder.path() + "/plain");
      const open_file file{folder.path() + "/plain", O_RDONLY};
      file.forget_pages();
      state.SetIterationTime(seconds_of([&] { read_file(file, target); }));
    }
  };
}

/// Puts four times as much as the store holds, and keeps all of it.
side put_beyond_store(bench_node& bench, const std::string& parent) {
  return [&system = bench.system(), parent](benchmark::State& state) {
    const std::vector<std::uint64_t> source(mib / sizeof(std::uint64_t), 1);
    const words value{std::span{source}};
    for (auto _ : state) {
      const scratch_folder folder{parent};
      auto options = read_options(system.config());
      options.store_size_bytes = spilled_bytes / 4;
      options.spill_directories = {folder.path()};
      mobula::node node{system, options};
      std::vector<ObjectRef<words>> refs;
      state.SetIterationTime(seconds_of([&] {
        for (std::size_t bytes = 0; bytes < spilled_bytes; bytes += mib)
          refs.push_back(node.put(value));
      }));
    }
  };
}

comparison disk_case(std::string name, side measured, std::string baseline, side reference,
                     double least_ratio) {
  return {.name = std::move(name),
          .unit = unit::gigabytes_per_second,
          .measured = std::move(measured),
          .baseline = std::move(baseline),
          .reference = std::move(reference),
          .budget = budget{budget::subject::ratio, budget::bound::at_least, least_ratio},
          .bytes = spilled_bytes,
          .timing = timing::manual,
          .iterations = 1};
}

} // namespace

void add_spill_cases(std::vector<comparison>& cases, bench_node& bench,
                     const std::string& directory) {
  struct object_size {
    const char* name;
    std::size_t bytes;
    double least_ratio;
  };
  // 100 KiB is the inline limit: one word more is stored.
  constexpr object_size sizes[] = {
    {"100KiB", 100 * kib + 8, 0.7}, {"1MiB", mib, 0.9}, {"64MiB", 64 * mib, 0.9}};
  for (const auto& size : sizes) {
    cases.push_back(disk_case(fmt::format("spill/{}", size.name),
                              spill(bench, size.bytes, directory), "write of one file and fsync",
                              plain_write(directory), size.least_ratio));
    cases.push_back(disk_case(fmt::format("restore/{}", size.name),
                              restore(bench, size.bytes, directory), "cold read of one file",
                              plain_read(directory), size.least_ratio));
  }
  auto& beyond =
    cases.emplace_back(disk_case("put_beyond_store/1MiB", put_beyond_store(bench, directory),
                                 "write of one file and fsync", plain_write(directory), 0));
  beyond.budget.reset();
}

} // namespace mobula::bench
