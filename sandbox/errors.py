"""Errors as Stripe answers them: an HTTP status and the `error` envelope."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal.

    `kept`: the answer is remembered under the caller's idempotency key (true once the endpoint began its work,
    false for parameters refused at the door). `commits`: the refusal itself changed records (a declined card
    leaves a failed charge behind), so the work is committed and not rolled back.
    """

    def __init__(self, status: int, kind: str, message: str, *, kept: bool, commits: bool = False, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.commits = commits
        self.error: Json = {"type": kind, "message": message} | {k: v for k, v in more.items() if v is not None}

    @property
    def body(self) -> Json:
        """The JSON body of the answer."""
        return {"error": self.error}


def refused_parameter(message: str, param: str | None, code: str | None = None) -> ApiError:
    """400: the request itself is wrong; nothing was begun."""
    return ApiError(400, "invalid_request_error", message, kept=False, param=param, code=code)


def wrong_state(message: str, code: str | None = None, **more: Any) -> ApiError:
    """400: the request is well formed, but the object does not allow it now."""
    return ApiError(400, "invalid_request_error", message, kept=True, code=code, **more)


def not_found(kind: str, identifier: str, param: str | None, *, in_path: bool) -> ApiError:
    """`resource_missing`: 404 when the path names the object, 400 when a parameter does."""
    return ApiError(
        404 if in_path else 400,
        "invalid_request_error",
        f"No such {kind}: '{identifier}'",
        kept=True,
        code="resource_missing",
        param=param,
    )


def declined(code: str, decline_code: str | None, message: str, **more: Any) -> ApiError:
    """402: the card was refused. Commits, because the failed attempt stays on record."""
    return ApiError(402, "card_error", message, kept=True, commits=True, code=code, decline_code=decline_code, **more)
