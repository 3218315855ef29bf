"""The walk: from one world to all that can come of it, breadth first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from counterfoil.flow.map import Derived
from counterfoil.flow.tests.walking import laws
from counterfoil.flow.tests.walking.world import Moves, World


class Found(AssertionError):
    """A law was broken on the way: what happened, step by step, and the world in which it ended."""


@dataclass
class Walk:
    """Where it came to: worlds by number, how each was come to first, what follows from it, and where it stands."""

    worlds: list[World] = field(default_factory=list)
    came: list[tuple[int, str]] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    stands: list[Derived] = field(default_factory=list)

    def story(self, number: int) -> list[str]:
        """How a world was come to."""
        told: list[str] = []
        while number >= 0:
            number, words = self.came[number]
            told.append(words)
        return told[::-1]

    def from_where(self, goals: Iterable[int]) -> set[int]:
        """The worlds from which one of these can still be reached."""
        before: list[list[int]] = [[] for _ in self.worlds]
        for number, following in enumerate(self.after):
            for later in following:
                before[later].append(number)
        reached = set(goals)
        todo = deque(reached)
        while todo:
            for number in before[todo.popleft()]:
                if number not in reached:
                    reached.add(number)
                    todo.append(number)
        return reached


def walk(start: World, *moves: Moves, most: int = 200_000) -> Walk:
    """Every world that these moves lead to. Raises Found with the shortest story to the first broken law."""
    made = Walk([start], [(-1, "placed")], [[]])
    numbers = {start: 0}
    todo = deque([0])
    while todo:
        number = todo.popleft()
        world = made.worlds[number]
        try:
            made.stands.append(laws.of_state(world))
            for words, following in _all(world, moves):
                laws.of_step(world, following)
                known = numbers.get(following)
                if known is None:
                    known = numbers[following] = len(made.worlds)
                    made.worlds.append(following)
                    made.came.append((number, words))
                    made.after.append([])
                    todo.append(known)
                made.after[number].append(known)
        except AssertionError as broken:
            raise Found("\n".join([*made.story(number), f"-> {type(broken).__name__}: {broken}", str(world)])) from None
        if len(made.worlds) > most:
            raise RuntimeError(f"more than {most} worlds: this is no small one")
    return made


def _all(world: World, moves: Iterable[Callable[[World], Iterable[tuple[str, World]]]]) -> Iterable[tuple[str, World]]:
    for move in moves:
        yield from move(world)
