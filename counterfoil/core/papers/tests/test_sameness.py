"""The same content is the same bytes, whoever prints it and when; and what is scanned is what is written."""

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from barcode.charsets.code128 import CODES, STOP

from counterfoil.core.papers import KINDS, render
from counterfoil.core.papers.barcode import code128
from counterfoil.core.papers.tests.samples import content

REPOSITORY = Path(__file__).parents[4]
PRINT_ALL = """
import hashlib, json, sys
from counterfoil.core.papers import KINDS, render
from counterfoil.core.papers.tests.samples import content
print(json.dumps({kind: hashlib.sha256(render(kind, content(kind, lines=12))).hexdigest() for kind in KINDS}))
print("django" in sys.modules)
"""


def _printed_elsewhere(hash_seed: str) -> tuple[dict[str, str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PRINT_ALL],
        cwd=REPOSITORY,
        env={"PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )
    hashes, django = done.stdout.splitlines()
    return json.loads(hashes), django


def test_two_processes_print_the_same_bytes_and_neither_needs_django() -> None:
    one, django = _printed_elsewhere("1")
    two, _ = _printed_elsewhere("2")
    assert one == two
    assert sorted(one) == sorted(KINDS)
    assert len(set(one.values())) == len(KINDS)
    assert django == "False"
    assert one["invoice"] == hashlib.sha256(render("invoice", content("invoice", lines=12))).hexdigest()


def test_the_order_in_which_fields_were_given_does_not_matter() -> None:
    given = content("invoice")
    assert render("invoice", dict(reversed(given.items()))) == render("invoice", given)


def test_another_moment_of_issue_is_another_paper() -> None:
    given = content("invoice")
    assert render("invoice", given | {"issued_at": "2026-11-23T16:05:10Z"}) != render("invoice", given)
    assert render("invoice", given | {"issued_at": "2026-11-23T17:05:09+01:00"}) == render("invoice", given)


def test_threads_printing_at_once_get_what_one_would() -> None:
    alone = {kind: render(kind, content(kind)) for kind in KINDS}
    with ThreadPoolExecutor(4) as clerks:
        work = [(kind, clerks.submit(render, kind, content(kind))) for kind in KINDS * 4]
        assert all(done.result() == alone[kind] for kind, done in work)


def _scanned(widths: list[int]) -> str:
    """Reads Code 128 back (sets B and C), check digit included; independent of how the widths were made."""
    modules = "".join(("1" if i % 2 == 0 else "0") * width for i, width in enumerate(widths))
    end = STOP + "11"
    assert modules.endswith(end)
    body = modules[: -len(end)]
    values = [CODES.index(body[i : i + 11]) for i in range(0, len(body), 11)]
    *symbols, check = values
    assert (symbols[0] + sum(i * value for i, value in enumerate(symbols))) % 103 == check
    text, charset = "", {103: "A", 104: "B", 105: "C"}[symbols[0]]
    for value in symbols[1:]:
        if value in (99, 100, 101) and not (charset == "C" and value == 99):
            charset = {99: "C", 100: "B", 101: "A"}[value]
        elif charset == "C":
            text += f"{value:02}"
        else:
            text += chr(value + 32)
    return text


@pytest.mark.parametrize("number", ["CF-1047", "PO-0093", "1", "CF-2026-000123", "a b~!", "2026112312345678"])
def test_the_bar_code_says_the_number(number: str) -> None:
    assert _scanned(code128(number)) == number
