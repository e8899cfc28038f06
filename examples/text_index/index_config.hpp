#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <mobula/mobula.hpp>

namespace text_index {

/// The application's options beside those of CAF and Mobula. All that is no option is a path.
class index_config : public mobula::config {
public:
  index_config();

  /// Reads command line and configuration file, then checks the values.
  caf::error parse(int argc, char** argv);

  /// Files and directories to index; empty: a choice of our own.
  [[nodiscard]] std::vector<std::filesystem::path> paths() const {
    return {remainder.begin(), remainder.end()};
  }

  /// At most so many files; nothing: all of the paths given, or a few seconds' worth of our choice.
  [[nodiscard]] std::size_t file_limit() const;

  std::size_t top = 20;
  std::size_t indexers = 0;
  std::size_t partitions = 8;
  std::vector<std::string> words{"warranty", "iterator", "mutex"};
  bool verify = false;

  /// With several processes: how many nodes, this one among them, there must be before the work
  /// begins. Those of a launch, unless it is said.
  std::size_t nodes = 1;

  /// Whether to end, when all is done, only when asked to: until then the node can be looked at
  /// with the `mobula` command.
  bool stay = false;

  /// Whether `mobula launch` started this process, with others. Node 0 has the files then.
  [[nodiscard]] bool launched() const {
    return launch_number_.has_value();
  }

  /// Whether this process works for itself, has others help, or helps.
  enum class process_role : std::uint8_t { alone, gives_work, works };

  [[nodiscard]] process_role role() const;

private:
  void check() const;

  std::size_t limit_files_ = 0;
  std::string store_size_;
  std::string listen_;
  std::string join_;
  std::optional<std::size_t> launch_number_;
};

} // namespace text_index
