#include <utility>

#include <mobula/mobula.hpp>

#include "schedule_world.hpp"

namespace mobula::test {

using namespace std::literals;

namespace {

/// Checks an end of a read: a whole value, or an error that may happen.
void check_error(world& w, const error_info& error) {
  switch (error.type) {
    case error_type::get_timed_out:
      ++w.seen.timeouts;
      return;
    case error_type::promise_broken:
    case error_type::worker_died:
      return;
    case error_type::owner_died:
    case error_type::object_deleted:
      ++w.seen.lost_owners;
      return w.require(w.plan.expect != upset::none, to_string(error));
    case error_type::object_freed:
      ++w.seen.freed;
      return w.require(w.plan.frees == freeing::sometimes, to_string(error));
    case error_type::shutting_down:
      return w.require(w.plan.expect == upset::crashes, to_string(error));
    default:
      w.require(false, to_string(error));
  }
}

/// One actor of the run: keeps references and views and does random things with them.
class actor_state {
public:
  void init(world& w, site& home, node& where, caf::event_based_actor* self) {
    world_ = &w;
    home_ = &home;
    node_ = &where;
    self_ = self;
  }

  void receive(const delivery& message) {
    world_->seen.arrived += message.refs.size();
    for (const auto& ref : message.refs)
      world_->require(&ref.entry().core() == &node_->core(),
                      "a reference that arrives is one of the receiving node");
    refs_.insert(refs_.end(), message.refs.begin(), message.refs.end());
  }

  void step() {
    try {
      do_something();
    } catch (const object_error& error) {
      check_error(*world_, error.info());
    }
  }

private:
  void do_something() {
    auto& w = *world_;
    switch (w.choose(w.plan.frees == freeing::never ? 10 : 11)) {
      case 0:
      case 1:
        refs_.push_back(node_->put(make_parcel(some_refs())));
        break;
      case 2:
        drop_some();
        break;
      case 3:
      case 4:
        send_some();
        break;
      case 5:
        read_one();
        break;
      case 6:
        read_many();
        break;
      case 7:
        home_->open.push_back(node_->make_promise<parcel>());
        refs_.push_back(home_->open.back().ref());
        break;
      case 8:
        settle_promise();
        break;
      case 10:
        if (!refs_.empty())
          node_->free(any_ref());
        break;
      default:
        if (!views_.empty())
          views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(w.choose(views_.size())));
        break;
    }
  }

  const parcel_ref& any_ref() {
    return refs_[world_->choose(refs_.size())];
  }

  std::vector<parcel_ref> some_refs() {
    std::vector<parcel_ref> result;
    if (!refs_.empty())
      for (auto count = world_->choose(5); count > 0; --count)
        result.push_back(any_ref());
    return result;
  }

  /// Values of promises contain no references: these could form a cycle.
  parcel make_parcel(std::vector<parcel_ref> inner) {
    auto label = ++world_->labels;
    // One in four is larger than the inline limit of these runs.
    auto size = world_->choose(4) == 0 ? 3000 : world_->choose(100);
    return {.label = label,
            .filling = std::string(size, static_cast<char>('a' + label % 26)),
            .inner = std::move(inner)};
  }

  void drop_some() {
    for (auto count = world_->choose(6); count > 0 && !refs_.empty(); --count) {
      std::swap(refs_[world_->choose(refs_.size())], refs_.back());
      refs_.pop_back();
    }
  }

  void send_some() {
    auto& to = world_->any_site();
    if (to.actors.empty())
      return;
    auto receiver = to.actors[world_->choose(to.actors.size())];
    if (to.where != node_)
      receiver = world_->sim.remote(*node_, *to.where, receiver);
    self_->send(receiver, delivery{some_refs()});
  }

  wait_limit any_limit() {
    switch (world_->choose(3)) {
      case 0:
        return 0ns;
      case 1:
        return std::chrono::milliseconds{1 + world_->choose(50)};
      default:
        return 1h;
    }
  }

  void take(const view<parcel>& value) {
    ++world_->seen.values;
    world_->require(value->intact(), "a value is what was put");
    if (world_->choose(3) == 0)
      views_.push_back(value);
    if (!value->inner.empty())
      refs_.push_back(value->inner[world_->choose(value->inner.size())]);
  }

  void read_one() {
    if (refs_.empty())
      return;
    ++world_->reads_started;
    auto ref = any_ref();
    auto is_foreign = ref.owner() != node_->incarnation();
    get(self_, std::move(ref), any_limit())
      .then(
        [this, is_foreign](const view<parcel>& value) {
          ++world_->reads_ended;
          world_->seen.foreign_values += is_foreign ? 1 : 0;
          take(value);
        },
        [this](caf::error& error) {
          ++world_->reads_ended;
          check_error(*world_, to_error_info(error));
        });
  }

  void read_many() {
    ++world_->reads_started;
    get_all(self_, some_refs(), any_limit()).then([this](outcomes<parcel> results) {
      ++world_->reads_ended;
      for (const auto& result : results) {
        if (result.has_value())
          take(result.value());
        else if (result.has_error())
          check_error(*world_, result.error());
      }
    });
  }

  void settle_promise() {
    auto& open = home_->open;
    if (open.empty())
      return;
    std::swap(open[world_->choose(open.size())], open.back());
    auto settled = std::move(open.back());
    open.pop_back();
    switch (world_->choose(3)) {
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

  world* world_ = nullptr;
  site* home_ = nullptr;
  node* node_ = nullptr;
  caf::event_based_actor* self_ = nullptr;
  std::vector<parcel_ref> refs_;
  std::vector<view<parcel>> views_;
};

caf::behavior participant(caf::stateful_actor<actor_state>* self, world* w, site* home,
                          node* where) {
  self->state.init(*w, *home, *where, self);
  return {
    [self](const delivery& message) { self->state.receive(message); },
    [self](do_one_thing) { self->state.step(); },
  };
}

} // namespace

caf::actor spawn_participant(world& w, site& home) {
  return w.sim.system().spawn(participant, &w, &home, home.where);
}

} // namespace mobula::test
