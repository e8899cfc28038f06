// Cases of tables with very many that wait, of which any one may be taken out: the cost must not
// grow with the crowd.

#include "cases.hpp"

#include <memory>
#include <string>

#include "mobula/actors/protocol/names/name_searches.hpp"
#include "mobula/actors/time/deadline_queue.hpp"
#include "mobula/store/spill/spill_table.hpp"

namespace mobula::bench {

namespace {

struct crowd_size {
  std::uint64_t members;
  const char* label;
};

constexpr crowd_size smallest{1'000, "1k"};

/// Spreads over all members, in an order that no cache foresees.
class any_member {
public:
  explicit any_member(std::uint64_t members) : members_(members) {
    // nop
  }

  std::uint64_t operator()() noexcept {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return (state_ >> 33U) % members_;
  }

private:
  std::uint64_t members_;
  std::uint64_t state_ = 1;
};

/// Objects that wait to be written, behind a write that does not end; any of them may be freed.
class waiting_spills {
public:
  explicit waiting_spills(std::uint64_t count) : table_({.max_writes = 1}), any_(count) {
    spill(count); // Is written.
    for (std::uint64_t number = 0; number < count; ++number)
      spill(number);
  }

  void replace_one() {
    auto number = any_();
    table_.free(id_of(number), effects_);
    spill(number);
    effects_.clear();
  }

private:
  static object_id id_of(std::uint64_t number) {
    return {.owner = {.high = 1, .low = 1}, .sequence = number + 1};
  }

  void spill(std::uint64_t number) {
    table_.spill(id_of(number), 100'000'000, effects_);
    effects_.clear();
  }

  spill_table table_;
  spill_effects effects_;
  any_member any_;
};

/// Lookups that wait for names which nobody publishes; any name may be published.
class waiting_lookups {
public:
  explicit waiting_lookups(std::uint64_t count) : any_(count) {
    for (std::uint64_t number = 0; number < count; ++number)
      searches_.add(search_number{number}, name_of(number));
  }

  void replace_one() {
    auto name = name_of(any_());
    for (auto number : searches_.waiting_for(name)) {
      searches_.remove(number);
      searches_.add(number, name);
    }
  }

private:
  static std::string name_of(std::uint64_t number) {
    return "a name " + std::to_string(number);
  }

  name_searches searches_;
  any_member any_;
};

/// Timers of one actor; any of them may be stopped.
class waiting_timers {
public:
  explicit waiting_timers(std::uint64_t count) : any_(count) {
    for (std::uint64_t number = 0; number < count; ++number)
      timers_.push_back(start());
  }

  void replace_one() {
    auto& timer = timers_[any_()];
    queue_.remove(timer);
    timer = start();
  }

private:
  deadline start() {
    return queue_.add(std::chrono::steady_clock::time_point{std::chrono::nanoseconds{++started_}},
                      0);
  }

  deadline_queue<int> queue_;
  std::vector<deadline> timers_;
  std::int64_t started_ = 0;
  any_member any_;
};

template <class Crowd>
side replace_among(std::uint64_t members) {
  auto crowd = std::make_shared<std::unique_ptr<Crowd>>();
  return [crowd, members](benchmark::State& state) {
    if (*crowd == nullptr)
      *crowd = std::make_unique<Crowd>(members);
    for ([[maybe_unused]] auto round : state)
      (*crowd)->replace_one();
  };
}

template <class Crowd>
void add_crowd(std::vector<comparison>& cases, const std::string& name, const crowd_size& size) {
  cases.push_back({.name = name + "/" + size.label,
                   .measured = replace_among<Crowd>(size.members),
                   .baseline = "the same among 1,000",
                   .reference = replace_among<Crowd>(smallest.members)});
}

} // namespace

void add_table_cases(std::vector<comparison>& cases) {
  for (const auto& size :
       {crowd_size{10'000, "10k"}, crowd_size{100'000, "100k"}, crowd_size{1'000'000, "1M"}}) {
    add_crowd<waiting_spills>(cases, "waiting_spills", size);
    add_crowd<waiting_lookups>(cases, "waiting_lookups", size);
    add_crowd<waiting_timers>(cases, "waiting_timers", size);
  }
}

} // namespace mobula::bench
