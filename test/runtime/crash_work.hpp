#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <mobula/mobula.hpp>

namespace mobula {

/// A node whose store holds a fraction of the data that goes through it, and the references that it
/// holds. Both the process that is killed and those that live on use it.
class crash_work {
public:
  crash_work(caf::actor_system& system, const std::string& directory, std::uint64_t seed)
    : random_(seed), node_(system, options_for(system, directory)) {
    // nop
  }

  /// Puts one object, and forgets one when there are many. Returns whether one that is then read
  /// back is what was put.
  bool step() {
    ++labels_;
    held_.push_back({labels_, node_.put(block(labels_))});
    if (held_.size() > max_held)
      held_.erase(any());
    return is_whole(*any());
  }

  /// Returns whether all objects are what was put.
  bool all_whole() {
    return std::ranges::all_of(held_, [&](const auto& each) { return is_whole(each); });
  }

  [[nodiscard]] mobula::node& node() noexcept {
    return node_;
  }

private:
  struct labeled {
    std::uint64_t label;
    ObjectRef<std::string> ref;
  };

  static constexpr std::size_t max_held = 40;

  static node_options options_for(caf::actor_system& system, const std::string& directory) {
    auto result = read_options(system.config());
    result.store_size_bytes = 3 << 20;
    result.shards = 1;
    result.spill_file_bytes = 1 << 20;
    result.spill_directories = {directory};
    return result;
  }

  static std::string block(std::uint64_t label) {
    std::string result(150'000, static_cast<char>('a' + label % 26));
    result += std::to_string(label);
    return result;
  }

  std::vector<labeled>::iterator any() {
    return held_.begin() + static_cast<std::ptrdiff_t>(random_() % held_.size());
  }

  bool is_whole(const labeled& object) const {
    return node_.get(object.ref).copy() == block(object.label);
  }

  std::mt19937_64 random_;
  mobula::node node_;
  std::vector<labeled> held_;
  std::uint64_t labels_ = 0;
};

} // namespace mobula
