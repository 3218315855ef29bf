"""How much slower than a quiet machine this one is just now."""

from __future__ import annotations

import time

QUIET_LOOP = 0.08  # seconds of CPU that the loop takes on a quiet machine


def slowness() -> float:
    """Return how many times as long as on a quiet machine a fixed piece of work takes here and now, 1 to 4.

    Where others calculate on the same cores, even seconds of CPU do less.
    """
    began = time.process_time()
    kept, total = {}, 0
    for number in range(1_000_000):
        total += number * number % 7
        kept[number & 1023] = total
    return min(4.0, max(1.0, (time.process_time() - began) / QUIET_LOOP))
