// What fails in spill directories, told in few words to the log, and to those who cannot go on for
// it.

#include "mobula/store/spill/disk_failures.hpp"

#include <bit>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// Counts a turn for the worse. Returns the line for the log, if this one is told.
std::optional<std::string> tell(std::uint64_t& turns, std::string_view what,
                                const std::string& directory, const io_failure& why) {
  if (!std::has_single_bit(++turns))
    return std::nullopt;
  auto so_far = turns == 1 ? std::string{} : fmt::format(" ({} times so far)", turns);
  return fmt::format("{} {}: {}{}", what, directory, explain(why), so_far);
}

} // namespace

directory_failures::directory_failures(std::vector<std::string> directories) {
  directories_.reserve(directories.size());
  for (auto& name : directories)
    directories_.push_back({.name = std::move(name)});
}

directory_failures::directory& directory_failures::get(spill_directory where) {
  auto index = static_cast<std::size_t>(where);
  MOBULA_ASSERT(index < directories_.size());
  return directories_[index];
}

void directory_failures::describe_writing() {
  trouble_.writing.clear();
  for (const auto& each : directories_)
    if (each.writing)
      trouble_.writing += (trouble_.writing.empty() ? "" : "; ") + explain(*each.writing);
}

std::optional<std::string> directory_failures::write_failed(spill_directory where,
                                                            const io_failure& why) {
  auto& failing = get(where);
  auto before = std::exchange(failing.writing, why);
  describe_writing();
  if (before && before->error_number == why.error_number)
    return std::nullopt;
  auto line = tell(failing.write_turns, "cannot spill to", failing.name, why);
  failing.is_told = failing.is_told || line.has_value();
  return line;
}

std::optional<std::string> directory_failures::wrote(spill_directory where) {
  auto& well = get(where);
  if (!std::exchange(well.writing, std::nullopt))
    return std::nullopt;
  describe_writing();
  if (!std::exchange(well.is_told, false))
    return std::nullopt;
  return fmt::format("can spill to {} again", well.name);
}

std::optional<std::string> directory_failures::read_failed(spill_directory where,
                                                           const io_failure& why) {
  auto& failing = get(where);
  trouble_.reading = explain(why);
  if (std::exchange(failing.reading, why.error_number) == why.error_number)
    return std::nullopt;
  return tell(failing.read_turns, "cannot read back what was spilled to", failing.name, why);
}

std::optional<std::string> directory_failures::remove_failed(spill_directory where,
                                                             const io_failure& why) {
  auto& failing = get(where);
  if (std::exchange(failing.removing, why.error_number) == why.error_number)
    return std::nullopt;
  return tell(failing.remove_turns, "cannot remove a spill file in", failing.name, why);
}

void directory_failures::removed(spill_directory where) {
  get(where).removing = 0;
}

} // namespace mobula
