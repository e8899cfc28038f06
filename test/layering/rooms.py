#!/usr/bin/env python3
"""Refuses includes that climb from a room to one that its row of the table does not name.

A room is a folder of headers and the folder of sources that has the same name. It may include the
rooms that its row names, and what these may include. Besides, no units may include each other in a
circle; a unit is a header and the source of its name. draw_rooms.py draws the table.

Usage: rooms.py SOURCE_ROOT
"""

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

# Lowest first: a row names only rows above it. A name that ends in a slash stands for all rooms of
# a folder.
ROOMS = {
    "serialization": ("ids, codecs, metadata and errors", []),
    # -- store/: no CAF -------------------------------------------------------------------------
    "store/system": ("calls of the system, files of an incarnation, assertions", ["serialization"]),
    "store/arena": ("shared memory: its file, its heap, its table of objects", ["store/system"]),
    "store/spill": ("files that objects move to, and who writes them when", ["store/system"]),
    "store/shard": ("what gets memory, and what moves out to make some free", ["store/arena", "store/spill"]),
    "store/heap": ("what values may take of the process heap", ["store/shard"]),
    "store/transfer": ("what nodes fetch from each other, and when", ["store/spill"]),
    "store/port": ("the data port, its connections, addresses, compression", ["store/transfer"]),
    # -- actors/ --------------------------------------------------------------------------------
    "actors/time": ("lengths of time and deadlines", []),
    "actors/caf": (
        "everything that depends on CAF's version",
        ["serialization", "store/system", "actors/time"],
    ),
    "actors/protocol": ("what the state machines have in common: sessions", ["store/"]),
    "actors/protocol/references": ("who refers to an object", ["actors/protocol"]),
    "actors/protocol/membership": ("who is a member, and where", ["actors/protocol"]),
    "actors/protocol/names": ("what has which name", ["actors/protocol"]),
    "actors/protocol/ownership": ("what an owner knows of its objects", ["actors/protocol"]),
    "actors/protocol/tasks": ("what is to be computed, where", ["actors/protocol"]),
    "actors/objects": (
        "entry, value, copy, waiting, reading in place, the gateway of references",
        ["actors/caf", "actors/protocol/", "store/"],
    ),
    "actors/wire": ("structs that cross the network, with their inspection", ["actors/objects"]),
    "actors/reports": ("statistics, node report, object listing", ["actors/wire"]),
    "actors/messages": ("what one node's actors tell each other", ["actors/reports"]),
    "actors/membership": ("dials, connections, watchers, addresses", ["actors/messages"]),
    "actors/node": ("the node's core, its options and its arena", ["actors/messages"]),
    "actors/ownership": ("owner and counter", ["actors/node", "actors/membership"]),
    "actors/shard": ("the shards of the store", ["actors/node", "actors/membership"]),
    "actors/heap": ("who keeps the process heap small", ["actors/node", "actors/membership"]),
    "actors/spill": ("who writes and reads spill files", ["actors/node", "actors/membership"]),
    "actors/transfer": ("who pulls and pushes", ["actors/node", "actors/membership"]),
    "actors/exchange": ("what peers are told of objects", ["actors/node", "actors/membership"]),
    "actors/names": ("who publishes and looks up names", ["actors/node", "actors/membership"]),
    "actors/tasks": ("who runs tasks", ["actors/node", "actors/membership"]),
    "actors/cluster": (
        "the actor that speaks for a node",
        ["actors/membership", "actors/exchange", "actors/names", "actors/tasks"],
    ),
    "actors/launch": ("spawns everything, in order", ["actors/"]),
    # -- runtime/ -------------------------------------------------------------------------------
    "runtime": ("what applications use", ["serialization", "store/", "actors/"]),
    "runtime/command": ("the program `mobula`", ["runtime"]),
}

# Includes that climb or close a circle: those that there are. An entry goes when its include does.
still_climbing = {
}

LAYERS = ["serialization", "store", "actors", "runtime"]
INCLUDE = re.compile(r'\s*#\s*include\s+["<]([^">]+)[">]')


class Include(NamedTuple):
    """One line of a file, and the file of the project that it stands for."""

    source: str
    line: int
    name: str
    target: str


# -- reading the sources ---------------------------------------------------------------------------


def room_of(path):
    """Returns the folder of a file, without what only tells headers from sources."""
    folder = os.path.dirname(path)
    layer = folder.split("/")[0]
    if layer == "runtime" and not folder.startswith("runtime/command"):
        return layer
    inner = re.sub(rf"^{layer}/(include/mobula(/{layer}|$)|src)", "", folder)
    return folder if inner == folder else layer + inner


def sources(root):
    """Returns the sources of all layers by their paths; not what is only compiled in advance."""
    found = []
    for layer in LAYERS:
        found += (path.relative_to(root) for path in (root / layer).rglob("*.[ch]pp"))
    return sorted(str(path) for path in found if path.parent.name not in ("pch", "generated"))


def read_includes(root):
    """Returns all includes of the project's own headers, and complaints about those not found."""
    found, complaints = [], []
    paths = sources(root)
    known = set(paths)
    for path in paths:
        for line, text in enumerate((root / path).read_text().splitlines(), 1):
            match = INCLUDE.match(text)
            if not match or match[1] == "mobula/version.hpp":
                continue
            near = os.path.normpath(f"{os.path.dirname(path)}/{match[1]}")
            places = [near, *(os.path.normpath(f"{layer}/include/{match[1]}") for layer in LAYERS)]
            target = next((place for place in places if place in known), None)
            if target is not None:
                found.append(Include(path, line, match[1], target))
            elif match[1].startswith("mobula/"):
                complaints.append(f"{path}:{line}: {match[1]} does not exist")
    return found, complaints


# -- the table -------------------------------------------------------------------------------------


def named_by(name):
    return [room for room in ROOMS if room.startswith(name)] if name.endswith("/") else [name]


def read_table():
    """Returns what each room may include, itself among it, and complaints about the table."""
    allowed, complaints = {}, []
    for room, (_, names) in ROOMS.items():
        allowed[room] = {room}
        for name in names:
            for other in named_by(name):
                if other != room and other in allowed:
                    allowed[room] |= allowed[other]
                elif other not in ROOMS or not name.endswith("/"):
                    complaints.append(f"the row of {room} names {other}, which is no row above it")
    return allowed, complaints


def rule(room):
    names = ROOMS[room][1]
    return f"{room} may include {', '.join(names) or 'nothing'}" + (
        " and what these may" if names else ""
    )


# -- circles ---------------------------------------------------------------------------------------


def unit_of(path):
    return f"{room_of(path)}/{os.path.basename(path).rsplit('.', 1)[0]}"


def graph_of(includes):
    """Returns which units each unit includes, and by which line."""
    graph = {}
    for include in includes:
        unit, other = unit_of(include.source), unit_of(include.target)
        graph.setdefault(other, {})
        if unit != other:
            graph.setdefault(unit, {}).setdefault(other, include)
    return graph


def way(graph, start, end):
    """Returns the includes on a shortest way from one unit to another; nothing if there is none."""
    came_by = {start: None}
    waiting = [start]
    for unit in waiting:
        if unit == end:
            break
        for other, include in graph.get(unit, {}).items():
            if other not in came_by:
                came_by[other] = (unit, include)
                waiting.append(other)
    if end not in came_by:
        return None
    result = []
    while came_by[end] is not None:
        end, include = came_by[end]
        result.insert(0, include)
    return result


def circles(graph):
    """Yields the includes of circles, so many that each unit that is in any is named."""
    named = set()
    for unit, others in sorted(graph.items()):
        if unit in named:
            continue
        for other, include in others.items():
            back = way(graph, other, unit)
            if back is not None:
                named |= {unit_of(each.source) for each in [include, *back]}
                yield [include, *back]
                break


# -- judging ---------------------------------------------------------------------------------------


def judge(root):
    """Returns complaints about everything that is not as it should be."""
    allowed, complaints = read_table()
    includes, not_found = read_includes(root)
    complaints += not_found
    homeless = sorted({path for path in sources(root) if room_of(path) not in ROOMS})
    complaints += [f"{path}: {room_of(path)} is no room of the table" for path in homeless]

    known = {(source, name) for source, names in still_climbing.items() for name in names}
    placed = [each for each in includes if not {each.source, each.target} & set(homeless)]
    climbs = lambda each: room_of(each.target) not in allowed[room_of(each.source)]
    for each in placed:
        if climbs(each) and (each.source, each.name) not in known:
            room = room_of(each.source)
            complaints.append(f"{each.source}:{each.line}: includes {each.name}, but {rule(room)}")

    graph = graph_of(each for each in placed if (each.source, each.name) not in known)
    for circle in circles(graph):
        steps = "".join(f"\n  {each.source}:{each.line}: {each.name}" for each in circle)
        complaints.append(f"these includes are a circle:{steps}")

    by_entry = {(each.source, each.name): each for each in placed}
    for source, name in sorted(known):
        each = by_entry.get((source, name))
        entry = f"still_climbing: {source} with {name}"
        if each is None:
            complaints.append(f"{entry}: there is no such include any more")
        elif not climbs(each) and way(graph, unit_of(each.target), unit_of(source)) is None:
            complaints.append(f"{entry}: that include neither climbs nor closes a circle any more")
    return complaints


def main():
    complaints = judge(Path(sys.argv[1]).resolve())
    print("\n".join(complaints))
    count = sum(len(names) for names in still_climbing.values())
    print(f"{len(ROOMS)} rooms, {count} includes still climb, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
