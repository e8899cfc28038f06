// Names of the files that belong to one incarnation of a node: sweeps touch nothing else. Also
// tells whether an open file still has its name, which a sweep may have taken from it.

#include "incarnation_files.hpp"

#include <sys/stat.h>

#include <fmt/format.h>

namespace mobula {

namespace {

constexpr std::string_view name_start = "mobula-";
constexpr std::size_t incarnation_digits = 32;

} // namespace

std::string holder_name(std::string_view cluster, const incarnation_id& incarnation) {
  return fmt::format("{}{}-{}", name_start, cluster, to_string(incarnation));
}

bool names_holder(std::string_view text) {
  if (!text.starts_with(name_start) || text.size() < name_start.size() + incarnation_digits + 1)
    return false;
  auto digits = text.substr(text.size() - incarnation_digits);
  return text[text.size() - incarnation_digits - 1] == '-'
         && digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_current(int descriptor, const std::filesystem::path& path) {
  struct stat open_one {};
  struct stat named_one {};
  return ::fstat(descriptor, &open_one) == 0 && ::lstat(path.c_str(), &named_one) == 0
         && open_one.st_dev == named_one.st_dev && open_one.st_ino == named_one.st_ino;
}

} // namespace mobula
