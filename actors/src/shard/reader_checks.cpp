// Looks after the readers of a shard's copies in other processes when one of these may have died.

#include "reader_checks.hpp"

#include <utility>

namespace mobula {

/// The kernel may free the connection of a dead process before its lock, which keeps its place from
/// others. And a living one may begin to read before it knows that it is no peer any more: what it
/// reports reaches nobody. So there is one more look at least, when it does know.
void reader_checks::node_lost(readers_lost) {
  forget_dead_readers();
  shard_.run();
  look_later();
}

void reader_checks::look_later() {
  if (!awaits_look())
    next_look_ = shard_.timers().start(shard_.node().options().grace_period, [this] {
      next_look_ = {};
      look_again();
    });
}

void reader_checks::look_again() {
  shard_.node().count_message();
  forget_dead_readers();
  shard_.run();
  // What the look itself has begun may be of no use any more.
  if (shard_.readers().has_readers_elsewhere())
    look_later();
  else
    shard_.timers().stop(std::exchange(next_look_, {}));
}

void reader_checks::forget_dead_readers() {
  // A place that could not be asked counts as living.
  static_cast<void>(shard_.node().clear_dead_readers());
  for (const auto& id : shard_.readers().drained())
    shard_.tell(&store_table::unpinned, id);
}

} // namespace mobula
