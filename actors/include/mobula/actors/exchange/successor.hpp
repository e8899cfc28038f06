#pragma once

#include "mobula/actors/objects/object_handle.hpp"

namespace mobula {

/// Returns the object by which other nodes are to know what `entry` stands for. Nearly always that
/// is the object itself, and the result is empty.
///
/// If the owner is gone, nobody is left to be told of further borrowers. But who can still read the
/// value here (a small one, one that was read in place, or one that the owner had kept before it
/// left) can give it to others: as an object of this node with the same value, the *successor*. It
/// is made when a reference is first handed on, is spilled and pulled as any object, and lives as
/// long as there are references to `entry` here. A large one is copied, and may wait for space as a
/// put of an actor does; without memory for that, there is none for now, and a line in the log.
///
/// Any thread. REQUIRES: the caller owns a handle.
[[nodiscard]] object_handle successor_of(object_entry& entry);

} // namespace mobula
