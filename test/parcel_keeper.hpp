#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

#include "parcel.hpp"

/// What actors of random schedules do with parcels, on one node or on several.

namespace mobula::test {

/// What all actors of one run share, whatever the test.
struct parcel_run {
  testing::simulation& sim;
  std::uint64_t labels = 0; ///< raised by each new parcel, so that no two are alike
  std::uint64_t values = 0; ///< raised by each value that was read
  std::uint64_t reads_started = 0;
  std::uint64_t reads_ended = 0;        ///< in a value or an error
  std::uint64_t last_reads_started = 0; ///< by `read_everything`, whose actors live
  std::uint64_t last_reads_ended = 0;

  [[nodiscard]] std::uint64_t choose(std::uint64_t count) {
    return sim.random()() % count;
  }
};

/// How long reads without a limit may take once nothing goes wrong any more, and who may still be
/// waited for has answered or is gone.
inline constexpr std::chrono::minutes longest_read{2};

/// Has all of `actors` read all that they refer to, when nothing goes wrong any more. Returns
/// whether all these reads ended in time (I4).
template <class Actors>
[[nodiscard]] bool all_reads_end(parcel_run& run, const Actors& actors) {
  for (const auto& actor : actors)
    caf::anon_send(actor, read_everything{});
  run.sim.run_randomly();
  auto end = run.sim.now() + longest_read;
  while (run.last_reads_ended < run.last_reads_started && run.sim.now() < end) {
    run.sim.advance(std::chrono::milliseconds{500});
    run.sim.run_randomly();
  }
  return run.last_reads_ended == run.last_reads_started;
}

/// An actor that keeps references and views and does random things with them. A test says which of
/// these how often, adds its own, and knows which errors may happen.
///
/// How often an operation draws, and in which order, is what a seed means: who reads draws the
/// reference and the limit, since tests do not agree on which comes first.
class parcel_keeper {
public:
  virtual ~parcel_keeper() = default;

  void receive(const delivery& message) {
    refs_.insert(refs_.end(), message.refs.begin(), message.refs.end());
  }

  /// Views go first: they may keep the store full for as long as they live.
  void read_all() {
    views_.clear();
    for (const auto& ref : refs_) {
      ++run_->last_reads_started;
      get(self_, ref)
        .then(
          [this](const view<parcel>& value) {
            ++run_->last_reads_ended;
            require(value->intact(), "a value is what was put");
          },
          [this](caf::error& error) {
            ++run_->last_reads_ended;
            auto info = to_error_info(error);
            require(info.type != error_type::get_timed_out, "a read without a limit has none");
            check_error(info);
          });
    }
  }

  void step() {
    try {
      do_something();
    } catch (const object_error& error) {
      check_error(error.info());
    }
  }

protected:
  /// All of these must outlive this. `open` are the promises that any actor may settle.
  void init(parcel_run& run, node& where, std::vector<promise<parcel>>& open,
            caf::event_based_actor* self) {
    run_ = &run;
    node_ = &where;
    open_ = &open;
    self_ = self;
  }

  // -- what a test says -------------------------------------------------------

  virtual void do_something() = 0;

  /// Checks an end of a read, or of a request: an error that may happen.
  virtual void check_error(const error_info& error) = 0;

  virtual void require(bool holds, const std::string& promise) = 0;

  [[nodiscard]] virtual std::size_t any_size() = 0;

  // -- what is drawn ----------------------------------------------------------

  [[nodiscard]] std::uint64_t choose(std::uint64_t count) {
    return run_->choose(count);
  }

  /// There must be one.
  [[nodiscard]] const parcel_ref& any_ref() {
    return refs_[choose(refs_.size())];
  }

  [[nodiscard]] std::vector<parcel_ref> some_refs() {
    std::vector<parcel_ref> result;
    if (!refs_.empty())
      for (auto count = choose(5); count > 0; --count)
        result.push_back(any_ref());
    return result;
  }

  [[nodiscard]] wait_limit any_limit() {
    using namespace std::literals;
    switch (choose(3)) {
      case 0:
        return 0ns;
      case 1:
        return std::chrono::milliseconds{1 + choose(50)};
      default:
        return 1h;
    }
  }

  // -- what is done -----------------------------------------------------------

  void put_one() {
    refs_.push_back(node_->put(make_parcel(some_refs())));
  }

  void free_one() {
    if (!refs_.empty())
      node_->free(any_ref());
  }

  /// Drops fewer references than `bound`.
  void drop_some(std::uint64_t bound) {
    for (auto count = choose(bound); count > 0 && !refs_.empty(); --count) {
      std::swap(refs_[choose(refs_.size())], refs_.back());
      refs_.pop_back();
    }
  }

  void drop_view() {
    if (!views_.empty())
      views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(choose(views_.size())));
  }

  void make_promise() {
    open_->push_back(node_->make_promise<parcel>());
    refs_.push_back(open_->back().ref());
  }

  /// Values of promises contain no references: these could form a cycle.
  void settle_promise() {
    if (open_->empty())
      return;
    std::swap((*open_)[choose(open_->size())], open_->back());
    auto settled = std::move(open_->back());
    open_->pop_back();
    switch (choose(3)) {
      case 0:
        settled.set_value(make_parcel({}));
        break;
      case 1:
        settled.set_error({.type = error_type::worker_died, .message = "as planned"});
        break;
      default:
        break; // dropped unset
    }
  }

  /// `came` is called first if it ends in a value.
  void read_one(
    parcel_ref ref, wait_limit limit, std::function<void()> came = [] {}) {
    ++run_->reads_started;
    get(self_, std::move(ref), limit)
      .then(
        [this, came = std::move(came)](const view<parcel>& value) {
          ++run_->reads_ended;
          came();
          take(value);
        },
        [this](caf::error& error) {
          ++run_->reads_ended;
          check_error(to_error_info(error));
        });
  }

  void read_many(std::vector<parcel_ref> refs, wait_limit limit) {
    ++run_->reads_started;
    auto count = refs.size();
    get_all(self_, std::move(refs), limit).then([this, count](outcomes<parcel> results) {
      ++run_->reads_ended;
      require(results.size() == count, "each reference has an outcome");
      for (const auto& result : results) {
        if (result.has_value())
          take(result.value());
        else if (result.has_error())
          check_error(result.error());
      }
    });
  }

  /// Checks a value that was read, and may keep it and what is in it.
  void take(const view<parcel>& value) {
    ++run_->values;
    require(value->intact(), "a value is what was put");
    if (choose(3) == 0)
      views_.push_back(value);
    if (!value->inner.empty())
      refs_.push_back(value->inner[choose(value->inner.size())]);
  }

  parcel_run* run_ = nullptr;
  node* node_ = nullptr;
  std::vector<promise<parcel>>* open_ = nullptr;
  caf::event_based_actor* self_ = nullptr;
  std::vector<parcel_ref> refs_;
  std::vector<view<parcel>> views_;

private:
  parcel make_parcel(std::vector<parcel_ref> inner) {
    auto label = ++run_->labels;
    return {.label = label,
            .filling = std::string(any_size(), static_cast<char>('a' + label % 26)),
            .inner = std::move(inner)};
  }
};

} // namespace mobula::test
