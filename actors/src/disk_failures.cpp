// What fails in spill directories, told once: to the log, and to those who cannot go on for it.

#include "mobula/actors/disk_failures.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/store/assertion.hpp"

namespace mobula {

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
  return fmt::format("cannot spill to {}: {}", failing.name, explain(why));
}

std::optional<std::string> directory_failures::wrote(spill_directory where) {
  auto& well = get(where);
  if (!std::exchange(well.writing, std::nullopt))
    return std::nullopt;
  describe_writing();
  return fmt::format("can spill to {} again", well.name);
}

std::optional<std::string> directory_failures::read_failed(spill_directory where,
                                                           const io_failure& why) {
  auto& failing = get(where);
  trouble_.reading = explain(why);
  if (std::exchange(failing.reading, why.error_number) == why.error_number)
    return std::nullopt;
  return fmt::format("cannot read back what was spilled to {}: {}", failing.name, explain(why));
}

std::optional<std::string> directory_failures::remove_failed(spill_directory where,
                                                             const io_failure& why) {
  auto& failing = get(where);
  if (std::exchange(failing.removing, why.error_number) == why.error_number)
    return std::nullopt;
  return fmt::format("cannot remove a spill file in {}: {}", failing.name, explain(why));
}

void directory_failures::removed(spill_directory where) {
  get(where).removing = 0;
}

} // namespace mobula
