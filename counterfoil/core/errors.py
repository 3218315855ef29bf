"""What an action may answer instead of doing its work. Every door (page, API, job) turns these into its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Blocker:
    """One reason why a gate stays shut. `code` is from the contract's closed list; `line` a SKU, `by` a person."""

    code: str
    message: str
    line: str | None = None
    by: str | None = None

    def as_json(self) -> dict[str, str]:
        out = {"code": self.code, "message": self.message}
        if self.line is not None:
            out["line"] = self.line
        if self.by is not None:
            out["by"] = self.by
        return out


class Refused(Exception):
    """409: the facts do not allow it. Carries every reason, not just the first."""

    def __init__(self, blockers: Sequence[Blocker]) -> None:
        self.blockers = list(blockers)
        super().__init__("; ".join(b.message for b in self.blockers))


class Invalid(Exception):
    """422: a field is wrong. `errors` is a list of (field, message)."""

    def __init__(self, *errors: tuple[str, str]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{f}: {m}" for f, m in errors))


class Missing(Exception):
    """404: no such thing, or not yours to see."""


class Forbidden(Exception):
    """403: you are known, and this is not yours to do."""


class Declined(Exception):
    """402: the bank said no. `code` is the processor's decline code."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class StillAsking(Exception):
    """202: the bank has not answered; the truth is being fetched."""


class NotBegun(StillAsking):
    """Nothing has begun yet, because the bank must answer something else first: it is owed by a job, or asked again."""


def blocked(code: str, message: str, *, line: str | None = None, by: str | None = None) -> Refused:
    """A refusal with a single reason."""
    return Refused([Blocker(code, message, line, by)])
