// An actor of the random schedules: puts, nests, sends, drops, reads and waits as its messages say,
// and holds each read against what the model allows.

#include <utility>

#include <mobula/mobula.hpp>

#include "schedule_world.hpp"

namespace mobula::test {

namespace {

/// One actor of the run, on one of its nodes.
class actor_state : public parcel_keeper {
public:
  void init(world& w, site& home, node& where, caf::event_based_actor* self) {
    parcel_keeper::init(w, where, home.open, self);
    world_ = &w;
  }

  void receive(const delivery& message) {
    world_->seen.arrived += message.refs.size();
    for (const auto& ref : message.refs)
      require(&ref.entry().core() == &node_->core(),
              "a reference that arrives is one of the receiving node");
    parcel_keeper::receive(message);
  }

private:
  void do_something() override {
    switch (choose(world_->plan.frees == freeing::never ? 10 : 11)) {
      case 0:
      case 1:
        return put_one();
      case 2:
        return drop_some(6);
      case 3:
      case 4:
        return send_some();
      case 5:
        return read_any();
      case 6:
        return read_some();
      case 7:
        return make_promise();
      case 8:
        return settle_promise();
      case 10:
        return free_one();
      default:
        return drop_view();
    }
  }

  void check_error(const error_info& error) override {
    const auto& plan = world_->plan;
    auto& seen = world_->seen;
    switch (error.type) {
      case error_type::get_timed_out:
        ++seen.timeouts;
        return;
      case error_type::promise_broken:
      case error_type::worker_died:
        return;
      case error_type::owner_died:
      case error_type::object_deleted:
        ++seen.lost_owners;
        return require(plan.expect != upset::none, to_string(error));
      case error_type::object_freed:
        ++seen.freed;
        return require(plan.frees == freeing::sometimes, to_string(error));
      case error_type::store_full:
        ++seen.refusals;
        return require(plan.heap == heap_space::little, to_string(error));
      case error_type::shutting_down:
        return require(plan.expect == upset::crashes, to_string(error));
      default:
        require(false, to_string(error));
    }
  }

  void require(bool holds, const std::string& promise) override {
    world_->require(holds, promise);
  }

  /// One in four is larger than the inline limit of these runs, or can leave the heap.
  std::size_t any_size() override {
    auto large = world_->plan.heap == heap_space::enough ? 3000 : 9000;
    return choose(4) == 0 ? large : choose(100);
  }

  void send_some() {
    auto& to = world_->any_site();
    if (to.actors.empty())
      return;
    auto receiver = to.actors[choose(to.actors.size())];
    if (to.where != node_)
      receiver = world_->sim.remote(*node_, *to.where, receiver);
    self_->send(receiver, delivery{some_refs()});
  }

  void read_any() {
    if (refs_.empty())
      return;
    auto ref = any_ref();
    auto is_borrowed = ref.owner() != node_->incarnation();
    read_one(std::move(ref), any_limit(),
             [this, is_borrowed] { world_->seen.borrowed_values += is_borrowed ? 1 : 0; });
  }

  void read_some() {
    auto limit = any_limit();
    read_many(some_refs(), limit);
  }

  world* world_ = nullptr;
};

caf::behavior participant(caf::stateful_actor<actor_state>* self, world* w, site* home,
                          node* where) {
  self->state.init(*w, *home, *where, self);
  return {
    [self](const delivery& message) { self->state.receive(message); },
    [self](do_one_thing) { self->state.step(); },
    [self](read_everything) { self->state.read_all(); },
  };
}

} // namespace

caf::actor spawn_participant(world& w, site& home) {
  return w.sim.system().spawn(participant, &w, &home, home.where);
}

} // namespace mobula::test
