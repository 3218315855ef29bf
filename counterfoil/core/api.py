"""What every API door shares: field types that both databases can keep, who is asking, documented answers."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from counterfoil.core.actor import Actor
from counterfoil.core.errors import Forbidden
from counterfoil.core.text import storable
from counterfoil.core.web import bearer, problem, problem_of


def _storable(text: str) -> str:
    if not storable(text):
        raise ValueError("contains characters that cannot be stored (NUL or half of a surrogate pair)")
    return text


def _day(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return value
    raise ValueError("a date as YYYY-MM-DD")


def _moment(value: Any) -> Any:
    if isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", value, re.ASCII):
        return value
    raise ValueError("a date-time such as 2026-11-23T16:05:00Z")


def _utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def _sane_year(value: date) -> date:
    if not 1970 <= value.year <= 9000:
        raise ValueError("a year between 1970 and 9000")
    return value


Text = Annotated[StrictStr, AfterValidator(_storable), Field(max_length=5000)]
Word = Annotated[StrictStr, AfterValidator(_storable), Field(min_length=1, max_length=200)]
Int = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
Id = Annotated[StrictInt, Field(ge=1, le=2**62)]
Day = Annotated[date, BeforeValidator(_day), AfterValidator(_sane_year), Field(json_schema_extra={"format": "date"})]
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_sane_year), AfterValidator(_utc)]
Bool = StrictBool


class Body(Schema):
    """A request body: unknown fields are told, not swallowed."""

    model_config = ConfigDict(extra="forbid")


class BlockerOut(Schema):
    code: str
    message: str
    line: str | None = None
    by: str | None = None


class FieldOut(Schema):
    field: str
    message: str


class Problem(Schema):
    """RFC 9457, with the reasons of a shut gate and the fields that are wrong."""

    type: str
    title: str
    status: int
    detail: str
    blockers: list[BlockerOut]
    errors: list[FieldOut]


class Anything(Schema):
    """An object; see the contract for its members."""

    model_config = ConfigDict(extra="allow")


PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 413: Problem, 422: Problem,
            429: Problem, 503: Problem}  # fmt: skip


def answers(*good: int, **more: Any) -> dict[Any, Any]:
    """The statuses of a door: the good ones and every problem it may name."""
    documented: dict[Any, Any] = dict.fromkeys(good, Anything)
    documented.update(PROBLEMS)
    documented.update({int(k.removeprefix("s")): v for k, v in more.items()})
    return documented


def reply(body: Any, status: int = 200) -> HttpResponse:
    """A JSON answer, written once and not validated again."""
    return HttpResponse(json.dumps(body), status=status, content_type="application/json")


class KeyAuth(HttpBearer):
    """`Authorization: Bearer KEY`."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        return bearer(request)


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind the key. Raises Forbidden when there is none (doors without a key do not ask)."""
    found = bearer(request)
    if found is None:
        raise Forbidden("no key")
    return found


def router() -> Router:
    """A room's router, behind the key."""
    return Router(auth=KeyAuth())


def make_api() -> NinjaAPI:
    """The API object with every error as problem+json."""
    api = NinjaAPI(
        title="Counterfoil", version="1", urls_namespace="api", docs_url="/docs", openapi_url="/openapi.json"
    )

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        fields = []
        for item in error.errors:
            where = [str(p) for p in item.get("loc", ())]
            # The first two name the source (body, path...) and the parameter, not a field.
            named = where[2:] if where[:1] == ["body"] and len(where) > 2 else where[1:]
            fields.append({"field": ".".join(named), "message": str(item.get("msg", "wrong"))})
        return problem(422, "; ".join(f"{f['field']}: {f['message']}" for f in fields)[:2000], fields=fields)

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return problem(401, "send Authorization: Bearer KEY with a key that is valid")

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, str(error))

    @api.exception_handler(Exception)
    def other(request: HttpRequest, error: Exception) -> HttpResponse:
        known = problem_of(error)
        if known is None:
            raise error
        return known

    return api
