// The ranges of all options. A new option of `node_options` gets a row here, or a check in
// `require_good_values` if its rule is no range, and its edges a row in
// test/runtime/option_test.cpp.

#include "mobula/runtime/option_ranges.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/serialization/counted.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula::internal {

namespace {

using unit = number_range::unit;
using std::chrono::nanoseconds;

constexpr std::uint64_t kibi = 1024;
constexpr std::uint64_t mebi = kibi * kibi;
constexpr std::uint64_t gibi = kibi * mebi;
constexpr std::uint64_t tebi = kibi * gibi;
constexpr std::uint64_t pebi = kibi * tebi;

constexpr std::uint64_t least_store_bytes = 64 * kibi;
constexpr std::uint64_t least_heap_bytes = 64 * kibi;
constexpr std::size_t max_spill_directories = 64;
constexpr std::size_t max_cluster_name_letters = 64;
constexpr std::size_t max_name_bytes = 64;

constexpr auto zero_is_special = true;

/// Reads a member as a number.
template <auto Member>
std::uint64_t number(const node_options& options) {
  return options.*Member;
}

std::uint64_t prefault(const node_options& options) {
  return options.prefault_bytes.value_or(0);
}

constexpr std::array numbers{
  number_range{"mobula.inline-limit", number<&node_options::inline_limit_bytes>, 0, gibi,
               unit::bytes, "larger values belong into the store"},
  number_range{"mobula.store-size", number<&node_options::store_size_bytes>, least_store_bytes,
               pebi, unit::bytes, "leave it out for a share of the memory that is granted",
               zero_is_special},
  number_range{"mobula.heap-limit", number<&node_options::heap_limit_bytes>, least_heap_bytes, pebi,
               unit::bytes, "leave it out for a share of the memory that is granted",
               zero_is_special},
  number_range{"mobula.prefault", prefault, 0, tebi, unit::bytes,
               "leave it out to have it follow what is in use"},
  number_range{"mobula.shards", number<&node_options::shards>, 1, 64, unit::count,
               "2 are enough for most machines"},
  number_range{"mobula.spill-limit", number<&node_options::spill_limit_bytes>, 0, 1024 * pebi,
               unit::bytes, "0 uses the disks as far as they go"},
  number_range{"mobula.spill-file-size", number<&node_options::spill_file_bytes>, mebi, 64 * gibi,
               unit::bytes, "128MiB suits most disks"},
  number_range{"mobula.spill-threshold", number<&node_options::spill_threshold_percent>, 1, 100,
               unit::percent, "80 leaves space for bursts"},
  number_range{"mobula.spill-workers", number<&node_options::spill_workers>, 1, 64, unit::count,
               "2 keep most disks busy"},
  number_range{"mobula.credit", number<&node_options::lent_bytes>, 0, tebi, unit::bytes,
               "leave it out to lend what is free"},
  number_range{"mobula.piggyback", number<&node_options::piggyback_bytes>, 0, mebi, unit::bytes,
               "readers of larger values ask for them"},
  number_range{"mobula.message-limit", number<&node_options::message_limit_bytes>, mebi,
               4 * gibi - 1, unit::bytes, "256MiB is more than most messages should have"},
  number_range{"node_options::transfer_chunk_bytes", number<&node_options::transfer_chunk_bytes>,
               512, frame_limits::chunk_bytes, unit::bytes, "4MiB suits most networks"},
};

constexpr std::array times{
  time_range{"mobula.full-timeout", &node_options::full_timeout, nanoseconds{0},
             "0s refuses puts at once when nothing can move"},
  time_range{"mobula.transit-lease", &node_options::transit_lease, nanoseconds{1},
             "any length is safe, 10s suits most networks"},
  time_range{"mobula.grace-period", &node_options::grace_period, nanoseconds{1},
             "it has to be longer than mobula.heartbeat-timeout"},
  time_range{"mobula.drain", &node_options::drain_timeout, nanoseconds{0},
             "0s leaves without waiting"},
};

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string_view range,
                         std::string_view advice) {
  throw object_error{
    {.type = error_type::invalid_argument,
     .message = fmt::format("option {} is {}, but must be {}; {}", option, value, range, advice)}};
}

std::string show(std::uint64_t value, unit in) {
  switch (in) {
    case unit::bytes:
      return show_bytes(value);
    case unit::percent:
      return fmt::format("{} %", value);
    case unit::count:
      break;
  }
  return fmt::to_string(value);
}

void require(const number_range& range, const node_options& options) {
  auto value = range.value(options);
  if ((range.zero_is_special && value == 0) || (value >= range.least && value <= range.greatest))
    return;
  refuse(range.name, show(value, range.in),
         fmt::format("from {} to {}{}", show(range.least, range.in), show(range.greatest, range.in),
                     range.zero_is_special ? ", or 0" : ""),
         range.advice);
}

void require(const time_range& range, const node_options& options) {
  if (auto value = options.*range.value; value < range.least)
    refuse(range.name, show_time(value),
           range.least == nanoseconds::zero() ? "at least 0s" : "more than 0s", range.advice);
}

/// An enumeration may hold any number if a caller casts it.
template <class Choice>
void require_choice(std::string_view option, Choice value, Choice last, std::string_view words) {
  if (value > last)
    refuse(option, fmt::to_string(static_cast<unsigned>(value)), words, "use a named value");
}

void require_choices(const node_options& options) {
  require_choice("mobula.same-host-reading", options.same_host_reading, reading_in_place::off,
                 "auto or off");
  require_choice("mobula.compression", options.compression, compression_mode::automatic,
                 "auto, on or off");
  require_choice("mobula.record-call-sites", options.call_sites, call_site_recording::on,
                 "true or false");
  require_choice("mobula.insecure", options.listening, listening_scope::any, "true or false");
}

/// Two names of one directory: the node would claim it from itself.
void require_distinct(const std::vector<std::string>& directories) {
  std::map<std::string, std::string> known; // its place, and how it was written
  for (const auto& written : directories) {
    auto [other, fresh] = known.emplace(place_of_directory(written), written);
    if (!fresh)
      refuse("mobula.spill-dirs",
             other->second == written ? fmt::format("a list that names {} twice", written)
                                      : fmt::format("a list that names {} twice, as {} and as {}",
                                                    other->first, other->second, written),
             "a list of different directories", "leave one of them out");
  }
}

void require_directories(const node_options& options) {
  auto has_zero = [](const std::string& path) {
    return path.find('\0') != std::string::npos;
  };
  if (options.arena_directory.empty() || has_zero(options.arena_directory))
    refuse("mobula.arena-dir", options.arena_directory.empty() ? "empty" : "no path",
           "a directory on a tmpfs", "/dev/shm is the default");
  const auto& spills = options.spill_directories;
  if (spills.size() > max_spill_directories)
    refuse("mobula.spill-dirs", fmt::format("a list of {}", spills.size()),
           fmt::format("a list of at most {}", max_spill_directories), "name one for each disk");
  for (const auto& directory : spills)
    if (directory.empty() || has_zero(directory))
      refuse("mobula.spill-dirs", "a list with an empty entry or a zero byte",
             "a list of directories", "leave the entry out, or the option to spill nothing");
  require_distinct(spills);
}

void require_advertised(const node_options& options) {
  constexpr std::string_view range = "a list of at most 16 ADDRESSes or ADDRESS:PORTs that others "
                                     "can dial";
  if (options.advertise.size() > max_advertised_endpoints)
    refuse("mobula.advertise", fmt::format("a list of {}", options.advertise.size()), range,
           "name those that most nodes can use");
  for (const auto& each : options.advertise)
    if (!read_advertised(each))
      refuse("mobula.advertise", fmt::format("a list with \"{}\"", each), range,
             "give numbers or names, such as 10.0.0.7, node7.example:4242 or [fd00::7]:4242");
}

void require_cluster_name(const node_options& options) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_.";
  if (options.cluster.empty() || options.cluster.size() > max_cluster_name_letters
      || options.cluster.find_first_not_of(letters) != std::string::npos)
    refuse("mobula.cluster", fmt::format("\"{}\"", options.cluster),
           "1 to 64 letters, digits, underscores or dots", "it becomes part of file names");
}

/// It stands in tables and log lines.
void require_name(const node_options& options) {
  auto is_bad = [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F;
  };
  if (options.name.size() > max_name_bytes || std::ranges::any_of(options.name, is_bad))
    refuse("mobula.name",
           options.name.size() > max_name_bytes
             ? fmt::format("a text of {} bytes", options.name.size())
             : "a text with control characters",
           fmt::format("at most {} bytes of printable text", max_name_bytes),
           "a short word, such as reader-1, is easiest to find in a table");
}

} // namespace

std::string place_of_directory(const std::string& written) {
  std::error_code error;
  auto place = std::filesystem::absolute(written, error);
  if (!error)
    place = std::filesystem::weakly_canonical(place, error);
  if (error)
    return written;
  // A slash at the end names the same.
  if (!place.has_filename() && place.has_relative_path())
    place = place.parent_path();
  return place.string();
}

std::span<const number_range> number_ranges() noexcept {
  return numbers;
}

std::span<const time_range> time_ranges() noexcept {
  return times;
}

std::string show_bytes(std::uint64_t bytes) {
  constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> known{
    {{tebi, "TiB"}, {gibi, "GiB"}, {mebi, "MiB"}, {kibi, "KiB"}}};
  for (auto [size, name] : known)
    if (bytes >= size && bytes % size == 0)
      return fmt::format("{}{}", bytes / size, name);
  return counted(bytes, "byte");
}

std::string show_time(nanoseconds time) {
  using namespace std::chrono_literals;
  if (time % 1s == 0s)
    return fmt::format("{}s", time / 1s);
  if (time % 1ms == 0ms)
    return fmt::format("{}ms", time / 1ms);
  return fmt::format("{}ns", time.count());
}

void require_valid_times(const node_options& options, nanoseconds heartbeat_timeout) {
  // The longest time is longer than any.
  if (options.grace_period <= heartbeat_timeout && options.grace_period != nanoseconds::max())
    refuse("mobula.grace-period", show_time(options.grace_period),
           fmt::format("longer than mobula.heartbeat-timeout, which is {}",
                       show_time(heartbeat_timeout)),
           "what a node held must stay until both sides know that it is lost: raise the one or "
           "lower the other");
}

void require_good_values(const node_options& options) {
  for (const auto& range : numbers)
    require(range, options);
  for (const auto& range : times)
    require(range, options);
  require_choices(options);
  require_directories(options);
  require_advertised(options);
  require_cluster_name(options);
  require_name(options);
}

} // namespace mobula::internal
