#!/usr/bin/env python3
"""Draws the table of rooms: a band for each layer, a box for each room, arrows down.

What is drawn comes from rooms.py; FLOORS says where it stands. There are arrows for what does not
follow from others: who may include a room may include what that one may. Rooms side by side with
the same arrows share a frame and one of each.

Usage: draw_rooms.py           writes the picture to the standard output
       draw_rooms.py FILE      fails unless the file is that picture
"""

import sys
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True
import rooms  # noqa: E402

# The highest floor of each layer first. Rooms with their widths; none is an empty place, which lets
# an arrow pass.
FLOORS = {
    "runtime": [[("runtime/command", 24)], [("runtime", 24)]],
    "actors": [
        [("actors/launch", 24)],
        [(None, 15), ("actors/cluster", 9)],
        [
            ("actors/ownership", 3),
            ("actors/shard", 3),
            ("actors/heap", 3),
            ("actors/spill", 3),
            ("actors/transfer", 3),
            ("actors/exchange", 3),
            ("actors/names", 3),
            ("actors/tasks", 3),
        ],
        [("actors/membership", 12), ("actors/node", 12)],
        [("actors/messages", 24)],
        [("actors/reports", 24)],
        [("actors/wire", 24)],
        [("actors/objects", 24)],
        [
            ("actors/protocol/references", 3.8),
            ("actors/protocol/membership", 3.8),
            ("actors/protocol/names", 3.8),
            ("actors/protocol/ownership", 3.8),
            ("actors/protocol/tasks", 3.8),
            ("actors/caf", 5),
        ],
        [("actors/protocol", 19), ("actors/time", 4), (None, 1)],
    ],
    "store": [
        [("store/heap", 11), ("store/port", 12), (None, 1)],
        [("store/shard", 11), ("store/transfer", 12), (None, 1)],
        [("store/arena", 7), ("store/spill", 16), (None, 1)],
        [("store/system", 24)],
    ],
    "serialization": [[("serialization", 24)]],
}

# Lengths in pixels. Letters are as wide as in a wide font, so that no other cuts them.
WIDTH = 1000
MARGIN = 12  # around the bands, and between them and what is in them
COLUMN = (WIDTH - 4 * MARGIN) / 24
SPACE = 7  # on each side of a box
FRAME = 4  # from a box to its frame
RISE = 28  # from a floor to the next one
LINE = 15
NAME_LETTER = 7.9
LETTER = 6.9

LEGEND = (
    "A room may include those that its arrows lead to, and all that these may include. Rooms in one",
    "frame have the same arrows, and never include each other.",
)

STYLE = """\
    text { font: 12px Verdana, "DejaVu Sans", sans-serif; fill: #24292f; text-anchor: middle }
    .name { font: bold 13px "DejaVu Sans Mono", Menlo, Consolas, monospace }
    .layer { font: bold 15px "DejaVu Sans Mono", Menlo, Consolas, monospace; text-anchor: start }
    .folder, .legend { text-anchor: start }
    .folder { font: bold 13px "DejaVu Sans Mono", Menlo, Consolas, monospace }
    .page { fill: #ffffff }
    .runtime { fill: #e8eefc } .actors { fill: #e6f4ea }
    .store { fill: #fdf1dc } .serialization { fill: #f3e8fa }
    .room { fill: #ffffff; stroke: #57606a }
    .frame { fill: none; stroke: #57606a; stroke-dasharray: 4 3 }
    .arrow { fill: none; stroke: #24292f; stroke-width: 1.3 }
    .head { fill: #24292f }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .page { fill: #0d1117 }
      .runtime { fill: #1b2a4a } .actors { fill: #17351f }
      .store { fill: #3d2f12 } .serialization { fill: #36224a }
      .room { fill: #0d1117; stroke: #8b949e }
      .frame { stroke: #8b949e }
      .arrow { stroke: #e6edf3 }
      .head { fill: #e6edf3 }
    }
"""


class Box(NamedTuple):
    """Where something stands."""

    left: float
    top: float
    right: float
    bottom: float


# -- arrows ----------------------------------------------------------------------------------------


def read_arrows():
    """Returns for each room the rooms that it may include, but for those that follow from these."""
    allowed, complaints = rooms.read_table()
    if complaints:
        sys.exit("\n".join(complaints))
    below = {room: others - {room} for room, others in allowed.items()}
    return {
        room: {each for each in others if not any(each in below[other] for other in others)}
        for room, others in below.items()
    }


def gather(floor, arrows):
    """Returns the rooms of a floor, those together that stand side by side and have one frame."""

    def signs(room):
        return arrows[room], {other for other, targets in arrows.items() if room in targets}

    groups = []
    before = None
    for room, _ in floor:
        if room is not None and before is not None and signs(room) == signs(before):
            groups[-1] += (room,)
        elif room is not None:
            groups.append((room,))
        before = room
    return groups


# -- places ----------------------------------------------------------------------------------------


def wrap(text, width):
    lines = []
    for word in text.split():
        if lines and len(f"{lines[-1]} {word}") * LETTER <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def label_of(room):
    return f"{room.split('/')[-1]}/"


def lines_of(room, columns):
    """Returns the lines of a room's box; the first one begins with its name, and may be all."""
    width = columns * COLUMN - 2 * SPACE - 8
    purpose = rooms.ROOMS[room][0].replace("`", "")
    if len(label_of(room)) * NAME_LETTER + (len(purpose) + 2) * LETTER <= width:
        return [purpose]
    return ["", *wrap(purpose, width)]


def place():
    """Returns the boxes of layers and rooms, and the height of the picture."""
    layers, boxes = {}, {}
    y = MARGIN
    for layer, floors in FLOORS.items():
        top = y
        y += RISE + SPACE
        for floor in floors:
            counts = [len(lines_of(room, columns)) for room, columns in floor if room]
            bottom = y + max(counts) * LINE + 12
            x = 2 * MARGIN
            for room, columns in floor:
                if room:
                    boxes[room] = Box(x + SPACE, y, x + columns * COLUMN - SPACE, bottom)
                x += columns * COLUMN
            y = bottom + RISE
        y += MARGIN - RISE
        layers[layer] = Box(MARGIN, top, WIDTH - MARGIN, y)
        y += MARGIN
    missing = sorted(set(rooms.ROOMS) ^ set(boxes))
    if missing:
        sys.exit(f"FLOORS and the table of rooms do not have the same rooms: {', '.join(missing)}")
    return layers, boxes, y + len(LEGEND) * (LINE + 2) + MARGIN


def around(boxes, group):
    """Returns the frame of a group; of one room, its box."""
    edge = FRAME if len(group) > 1 else 0
    return Box(
        boxes[group[0]].left - edge,
        boxes[group[0]].top - edge,
        boxes[group[-1]].right + edge,
        boxes[group[0]].bottom + edge,
    )


def passage(source, target, obstacles):
    """Returns where a straight way down is widest; nothing if there is none."""
    left, right = max(source.left, target.left), min(source.right, target.right)
    ways = [(left, right)]
    for box in obstacles:
        if source.bottom < box.top and box.bottom < target.top:
            ways = [
                part
                for start, end in ways
                for part in ((start, min(end, box.left)), (max(start, box.right), end))
                if part[0] < part[1]
            ]
    start, end = max(ways, key=lambda way: way[1] - way[0], default=(0, 0))
    return (start + end) / 2 if end - start >= 2 * SPACE else None


# -- drawing ---------------------------------------------------------------------------------------


def draw_box(box, kind):
    return (
        f'  <rect class="{kind}" x="{box.left:.1f}" y="{box.top:.1f}"'
        f' width="{box.right - box.left:.1f}" height="{box.bottom - box.top:.1f}" rx="5"/>'
    )


def draw_text(x, y, text, kind=""):
    sort = f' class="{kind}"' if kind else ""
    return f'  <text{sort} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def draw_room(room, box, columns):
    """Draws a box with its words in the middle of it."""
    yield draw_box(box, "room")
    x = (box.left + box.right) / 2
    first, *rest = lines_of(room, columns)
    y = (box.top + box.bottom) / 2 - len(rest) * LINE / 2 + 4.5
    name = f'<tspan class="name">{escape(label_of(room))}</tspan>'
    purpose = f'<tspan dx="10">{escape(first)}</tspan>' if first else ""
    yield f'  <text x="{x:.1f}" y="{y:.1f}">{name}{purpose}</text>'
    for number, line in enumerate(rest, 1):
        yield draw_text(x, y + number * LINE, line)


def draw_frame(group, box):
    """Draws a frame, and above it the folder within the layer that its rooms have in common."""
    yield draw_box(box, "frame")
    folders = {room.split("/", 1)[1].rpartition("/")[0] for room in group}
    if len(folders) == 1 and "" not in folders:
        yield draw_text(box.left, box.top - 6, f"{folders.pop()}/", "folder")


def draw_arrow(x, source, target):
    tip = target.top - 1
    yield f'  <path class="arrow" d="M{x:.1f} {source.bottom:.1f}V{tip - 6:.1f}"/>'
    yield f'  <path class="head" d="M{x:.1f} {tip:.1f}l-4 -8h8z"/>'


def draw_arrows(boxes, arrows, groups):
    """Draws one arrow from each group to each other one that any of its arrows leads to."""
    frames = {group: around(boxes, group) for group in groups}
    for group, frame in frames.items():
        for other, target in frames.items():
            if arrows[group[0]].isdisjoint(other):
                continue
            x = passage(frame, target, frames.values())
            if x is None:
                sys.exit(f"FLOORS leaves no way straight down from {group[0]} to {other[0]}")
            yield from draw_arrow(x, frame, target)


def draw():
    arrows = read_arrows()
    layers, boxes, height = place()
    floors = [floor for band in FLOORS.values() for floor in band]
    groups = [group for floor in floors for group in gather(floor, arrows)]
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"'
        f' width="{WIDTH}" height="{height:.0f}" role="img">',
        "  <title>The rooms of each layer, and what they may include</title>",
        "  <!-- Written by test/layering/draw_rooms.py from the table in rooms.py. -->",
        f"  <style>\n{STYLE}  </style>",
        f'  <rect class="page" width="{WIDTH}" height="{height:.0f}" rx="8"/>',
    ]
    for layer, box in layers.items():
        picture.append(draw_box(box, layer))
        picture.append(draw_text(box.left + MARGIN, box.top + 21, f"{layer}/", "layer"))
    for group in groups:
        if len(group) > 1:
            picture += draw_frame(group, around(boxes, group))
    for floor in floors:
        for room, columns in floor:
            if room:
                picture += draw_room(room, boxes[room], columns)
    picture += draw_arrows(boxes, arrows, groups)
    for number, line in enumerate(reversed(LEGEND)):
        picture.append(draw_text(2 * MARGIN, height - MARGIN - number * (LINE + 2), line, "legend"))
    return "\n".join([*picture, "</svg>", ""])


def main():
    if len(sys.argv) == 1:
        print(draw(), end="")
    elif Path(sys.argv[1]).read_text() != draw():
        sys.exit(f"{sys.argv[1]} does not show the table of rooms; write it anew with {sys.argv[0]}")


if __name__ == "__main__":
    main()
