#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace mobula::command {

/// Rows of cells in columns as wide as their widest cell; numbers to the right.
class text_table {
public:
  explicit text_table(std::vector<std::string> titles) {
    rows_.push_back(std::move(titles));
  }

  void add(std::vector<std::string> cells) {
    rows_.push_back(std::move(cells));
  }

  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_)
      for (std::size_t column = 0; column < row.size(); ++column)
        widths[column] = std::max(widths[column], row[column].size());
    std::string result;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t column = 0; column < row.size(); ++column)
        line += is_numeric(column) ? fmt::format("{:>{}}  ", row[column], widths[column])
                                   : fmt::format("{:<{}}  ", row[column], widths[column]);
      line.erase(line.find_last_not_of(' ') + 1);
      result += line + '\n';
    }
    return result;
  }

private:
  [[nodiscard]] bool is_numeric(std::size_t column) const {
    return rows_.size() > 1 && !rows_[1][column].empty()
           && std::all_of(rows_.begin() + 1, rows_.end(), [&](const auto& row) {
                return row[column].empty() || (row[column][0] >= '0' && row[column][0] <= '9');
              });
  }

  std::vector<std::vector<std::string>> rows_;
};

} // namespace mobula::command
