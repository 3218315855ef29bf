"""What every API door shares: field types that both databases can keep, who is asking, documented answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import HttpBearer
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from counterfoil.core.actor import Actor
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Forbidden
from counterfoil.core.text import clean_barcode, clean_email, clean_key, clean_phone, clean_sku, plain
from counterfoil.core.web import bearer, problem, problem_of


def _fit(kind: Callable[[str], str]) -> AfterValidator:
    """What the kind refuses is refused here. Nothing is trimmed: a name with a blank before it is another name."""

    def check(text: str) -> str:
        kind(text)
        return text

    return AfterValidator(check)


def _prose(text: str) -> str:
    plain(text)
    return mask_cards(text)


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


# Text by kind; none of them lets a card number through. Prose has it masked, a name that things are found by is
# refused with it. `Parcel` alone is judged by its action, which knows the carrier.
Text = Annotated[StrictStr, AfterValidator(_prose), Field(max_length=5000)]
Essay = Annotated[StrictStr, AfterValidator(_prose), Field(max_length=15_000)]
Code = Annotated[StrictStr, _fit(clean_key), Field(max_length=5000)]
Word = Annotated[StrictStr, _fit(clean_key), Field(min_length=1, max_length=200)]
Barcode = Annotated[StrictStr, _fit(clean_barcode), Field(max_length=5000)]
Sku = Annotated[StrictStr, _fit(clean_sku), Field(max_length=5000)]
Email = Annotated[StrictStr, _fit(clean_email), Field(max_length=5000)]
Phone = Annotated[StrictStr, _fit(clean_phone), Field(max_length=5000)]
Parcel = Annotated[StrictStr, _fit(plain), Field(max_length=5000)]
Int = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
Id = Annotated[StrictInt, Field(ge=1, le=2**62)]
Day = Annotated[date, BeforeValidator(_day), AfterValidator(_sane_year), Field(json_schema_extra={"format": "date"})]
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_sane_year), AfterValidator(_utc)]
Bool = StrictBool


class Body(BaseModel):
    """A request body: unknown fields are told, not swallowed.

    No ninja Schema, which reads every nested object through a wrapper meant for model instances.
    """

    model_config = ConfigDict(extra="forbid")

    def dict(self, **how: Any) -> Any:
        """Its members as plain values; `how` as for pydantic's `model_dump`."""
        return self.model_dump(**how)


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


class StrictParser(Parser):
    """JSON as RFC 8259 means it: UTF-8, no NaN or Infinity, no name twice in one object (which of the two counts?)."""

    def parse_body(self, request: HttpRequest) -> Any:
        return json.loads(request.body.decode(), parse_constant=_no_number, object_pairs_hook=_once_each)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for at, (name, _) in enumerate(pairs) if any(name == n for n, _ in pairs[:at]))
        raise ValueError(f"{twice[:60]!a} stands there twice")
    return found


IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeats under the same key get the first answer, for 24 hours.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]+$"},
}


class Described(NinjaAPI):
    """The API with a description that says what is really sent: problems as problem+json, papers as PDF."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        told = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        for path, methods in told["paths"].items():
            for method, door in methods.items():
                for status, answer in door["responses"].items():
                    _say_media_type(answer, int(status), pdf=path.endswith(".pdf"))
                if method == "post":
                    door.setdefault("parameters", []).append(IDEMPOTENCY)
        return told


def _say_media_type(answer: dict[str, Any], status: int, *, pdf: bool) -> None:
    content = answer.get("content")
    if content and status >= 400:
        answer["content"] = {"application/problem+json": content["application/json"]}
    elif content and pdf:
        answer["content"] = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


# pydantic names the member of a union too (`supplier.constrained-str`); a reader looks for the field.
_KIND = re.compile(r"(constrained-)?(str|int|bool|list|dict)|.*[\[(].*")


def field_of(where: tuple[int | str, ...]) -> str:
    """The field's dotted path (`lines.0.sku`) from a validation error's place."""
    # The first two name the source (body, path...) and the parameter, not a field.
    named = where[2:] if where[:1] == ("body",) and len(where) > 2 else where[1:]
    return ".".join(str(p) for p in named if isinstance(p, int) or not _KIND.fullmatch(p))


def make_api() -> NinjaAPI:
    """The API object with every error as problem+json."""
    api = Described(
        title="Counterfoil",
        version="1",
        urls_namespace="api",
        docs_url=None,
        openapi_url="/openapi.json",
        parser=StrictParser(),
    )

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        found = {(field_of(tuple(e.get("loc", ()))), str(e.get("msg", "wrong"))) for e in error.errors}
        fields = [{"field": field, "message": message} for field, message in sorted(found)]
        return problem(422, "; ".join(f"{f['field']}: {f['message']}" for f in fields)[:2000], fields=fields)

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return problem(401, "send Authorization: Bearer KEY with a key that is valid")

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        # For a body that is no JSON the cause says what is wrong with it.
        return problem(error.status_code, f"{error}: {error.__cause__}" if error.__cause__ else str(error))

    @api.exception_handler(Exception)
    def other(request: HttpRequest, error: Exception) -> HttpResponse:
        known = problem_of(error)
        if known is None:
            raise error
        return known

    return api
