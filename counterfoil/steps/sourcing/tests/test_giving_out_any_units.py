"""Giving out units to those who wait, whatever there is and whoever waits."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.steps.sourcing.rules import (
    Supply,
    Want,
    assign,
    certainty,
    cut,
    turn,
)

days = st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1))
supplies = st.lists(st.tuples(st.integers(-3, 40), days), max_size=6).map(
    lambda rows: [Supply(i, units, day) for i, (units, day) in enumerate(rows)]
)
wishes = st.lists(st.tuples(st.integers(-3, 40), days), max_size=8).map(
    lambda rows: [Want(i, units, day) for i, (units, day) in enumerate(rows)]
)


@given(supplies, wishes)
def test_giving_out_conserves_units(units: list[Supply], wants: list[Want]) -> None:
    given_out = assign(units, wants)
    there = sum(max(0, s.quantity) for s in units)
    asked = sum(max(0, w.quantity) for w in wants)
    assert all(g.quantity > 0 for g in given_out)
    assert sum(g.quantity for g in given_out) == min(there, asked)
    for supply in units:
        assert sum(g.quantity for g in given_out if g.supply == supply.id) <= max(0, supply.quantity)
    for want in wants:
        assert sum(g.quantity for g in given_out if g.want == want.id) <= max(0, want.quantity)
    assert len({(g.supply, g.want) for g in given_out}) == len(given_out)


@given(supplies, wishes)
def test_nobody_is_served_while_an_older_promise_still_waits(units: list[Supply], wants: list[Want]) -> None:
    got = dict.fromkeys((w.id for w in wants), 0)
    for g in assign(units, wants):
        got[g.want] += g.quantity
    in_turn = [w for w in sorted(wants, key=turn) if w.quantity > 0]
    for older, newer in pairwise(in_turn):
        assert not got[newer.id] or got[older.id] == older.quantity


@given(supplies, wishes)
def test_no_less_certain_unit_is_given_out_while_a_surer_one_is_left(units: list[Supply], wants: list[Want]) -> None:
    used = dict.fromkeys((s.id for s in units), 0)
    for g in assign(units, wants):
        used[g.supply] += g.quantity
    sure = [s for s in sorted(units, key=certainty) if s.quantity > 0]
    for surer, looser in pairwise(sure):
        assert not used[looser.id] or used[surer.id] == surer.quantity


@given(wishes, st.integers(0, 60))
def test_whoever_is_not_woken_would_have_got_nothing(wants: list[Want], units: int) -> None:
    served = {g.want for g in assign([Supply(0, units)], wants)}
    assert served <= {w.id for w in cut([w for w in wants if w.quantity > 0], units)}
