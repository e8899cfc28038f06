#!/usr/bin/env python3
"""Refuses words that another version of CAF spells otherwise, outside of the room for them.

All that depends on CAF's version is in actors/caf (docs/caf-versions.md lists it), so that another
CAF means another folder beside that one and no change anywhere else.

Usage: caf_room.py SOURCE_ROOT
"""

import re
import sys
from pathlib import Path

FOLDERS = ["actors", "runtime", "test", "examples"]
ROOM = ["actors/include/mobula/actors/caf/", "actors/src/caf/"]

# What is refused, and what stands in for it.
WORDS = {
    r"CAF_VERSION": "caf_version.hpp",
    r"\bcaf(::|/)meta\b": "MOBULA_MESSAGE of message_type.hpp, or show_fields of packed_fields.hpp",
    r"\bInspector::(result_type|reads_state|writes_state)\b": "MOBULA_MESSAGE of message_type.hpp; "
    "for what packs its bytes by hand, packed_fields.hpp",
    r"\badd_message_type\b": "add_messages and add_message of message_registry.hpp",
    r"\bcaf::atom": "caf_options.hpp, registry_key.hpp",
    r"\bcaf::(replies_to|reacts_to)\b": "answers and takes of typed_interface.hpp",
    # The network as a whole is loaded by programs, by the same name in all versions.
    r"\bcaf::io::(?!middleman\b)|\bcaf/io/(?!middleman\.hpp)": "caf_connection.hpp, "
    "remote_actors.hpp, network_end.hpp",
    r"\bcaf(::|/)detail\b": "request_types.hpp",
    r"\bcaf(::|/)scheduler\b|\btest_coordinator\b": "test_scheduler.hpp, pool_threads.hpp",
    r"\bset_request_timeout\b|\bcancel_request_timeout\b": "actor_alarm.hpp, request_limit.hpp",
    r'"(scheduler|middleman|logger)\.[a-z-]+"': "caf_options.hpp",
}

# Applications declare their actors in CAF's own words.
OF_APPLICATIONS = {r"\bcaf::(replies_to|reacts_to)\b": ("test/", "examples/")}


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            name = str(path.relative_to(root))
            if not name.startswith(tuple(ROOM)):
                yield name, path.read_text()


def main():
    root = Path(sys.argv[1]).resolve()
    count = complaints = 0
    for name, text in sources(root):
        count += 1
        for line, content in enumerate(text.splitlines(), 1):
            for word, instead in WORDS.items():
                found = re.search(word, content)
                if found and not name.startswith(OF_APPLICATIONS.get(word, "/")):
                    complaints += 1
                    print(f"{name}:{line}: {found[0]} depends on CAF's version; use {instead}")
    print(f"{count} files outside of actors/caf, {complaints} complaints")
    # Nothing was found where there is nothing to search.
    sys.exit(1 if complaints or count == 0 else 0)


if __name__ == "__main__":
    main()
