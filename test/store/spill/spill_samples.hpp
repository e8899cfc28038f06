#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "mobula/store/spill/spill_file.hpp"

namespace mobula::test {

using buffer = std::vector<std::byte>;

/// An object with random bytes.
struct sample_object {
  object_id id;
  buffer metadata;
  buffer data;

  sample_object(std::uint64_t number, std::size_t metadata_bytes, std::size_t data_bytes)
    : id{.owner = {.high = 1, .low = 2}, .sequence = number}, metadata(metadata_bytes),
      data(data_bytes) {
    std::mt19937 random{static_cast<unsigned>(number)};
    for (auto* part : {&metadata, &data})
      for (auto& byte : *part)
        byte = static_cast<std::byte>(random());
  }

  record_view view() const {
    return {id, metadata, data};
  }

  std::uint64_t record_bytes() const {
    return spill_record_bytes(metadata.size(), data.size());
  }
};

inline std::vector<record_view> views_of(const std::vector<sample_object>& objects) {
  std::vector<record_view> views;
  for (const auto& object : objects)
    views.push_back(object.view());
  return views;
}

inline std::vector<sample_object> make_objects(std::size_t count, std::size_t data_bytes) {
  std::vector<sample_object> objects;
  for (std::size_t i = 0; i < count; ++i)
    objects.emplace_back(i + 1, 20, data_bytes);
  return objects;
}

struct read_back {
  read_result result;
  buffer metadata;
  buffer data;
};

inline read_back read_object(const std::filesystem::path& file, std::uint64_t offset,
                             const sample_object& expected,
                             const io_calls& calls = system_io_calls()) {
  read_back back{{}, buffer(expected.metadata.size()), buffer(expected.data.size())};
  const wanted_record wanted{expected.id, {back.metadata, back.data}};
  back.result = read_records_at(file, offset, {&wanted, 1}, calls).front();
  return back;
}

/// Reads objects that lie side by side at the start of a file. One that counts as intact has the
/// bytes that it should have.
inline std::vector<read_result> read_together(const std::filesystem::path& file,
                                              const std::vector<sample_object>& objects,
                                              const io_calls& calls = system_io_calls()) {
  std::vector<read_back> targets;
  for (const auto& each : objects)
    targets.push_back({{}, buffer(each.metadata.size()), buffer(each.data.size())});
  std::vector<wanted_record> wanted;
  for (std::size_t i = 0; i < objects.size(); ++i)
    wanted.push_back({objects[i].id, {targets[i].metadata, targets[i].data}});
  auto results = read_records_at(file, 0, wanted, calls);
  REQUIRE(results.size() == objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (results[i].status == read_status::intact)
      CHECK((targets[i].metadata == objects[i].metadata && targets[i].data == objects[i].data));
  return results;
}

inline bool is_intact(const std::filesystem::path& file, std::uint64_t offset,
                      const sample_object& expected, const io_calls& calls = system_io_calls()) {
  auto back = read_object(file, offset, expected, calls);
  return back.result.status == read_status::intact && back.metadata == expected.metadata
         && back.data == expected.data;
}

} // namespace mobula::test
