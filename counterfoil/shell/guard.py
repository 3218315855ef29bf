"""Ends what `counterfoil run` left behind when it could not end it itself: `kill -9`, or no memory left.

The runner names its children's process groups on our standard input, `+123` and `-123`. Nobody else holds the other
end of that pipe, so it closes when the runner is gone, whatever ended it, on Linux and macOS alike.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

PATIENCE = 15.0  # seconds to finish what is in hand


def main() -> int:
    """Remember groups until the pipe closes, then end those that are still there."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    left = {group for group in groups if lives(group)}
    if left:
        print("ending what `counterfoil run` left behind", file=sys.stderr, flush=True)
        end(left)
    return 0


def end(groups: Iterable[int], patience: float = PATIENCE) -> None:
    """Ask the groups to end; kill those that are still there after `patience` seconds."""
    until = time.monotonic() + patience
    left = [group for group in groups if tell(group, signal.SIGTERM)]
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = [group for group in left if lives(group)]
    for group in left:
        tell(group, signal.SIGKILL)


def lives(group: int) -> bool:
    """Tell whether anybody of a group still runs; a zombie that a container's first process never collects does not."""
    if not tell(group, 0):
        return False
    known = False
    for entry in Path("/proc").glob("[0-9]*/stat"):  # nothing on macOS, which does not count zombies anyway
        known = True
        with contextlib.suppress(OSError):
            state, _parent, of_group = entry.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state not in {"Z", "X"}:
                return True
    return not known


def tell(group: int, number: int) -> bool:
    """Send a signal (0: none) to all of a group, and tell whether there was anybody."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
