"""`Idempotency-Key` on every POST of the API: scoped to API key and path, kept 24 hours, only a 2xx is replayed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from counterfoil.core import clock
from counterfoil.core.cards import says_card
from counterfoil.core.db import execute, mark_first_write, moment, rows, writing
from counterfoil.core.web import GetResponse, bearer, is_api, problem, problem_of

LIFE = timedelta(hours=24)
STALE = timedelta(seconds=90)  # a request that has run this long has died with its process
CLAIMED, BEGUN = 0, -1  # a row's status before there is an answer: nothing written yet, or something committed
MAX_PATH = 200  # characters, as the table keeps them
OPEN = "/api/v1/proposals/"  # to whoever has the question's token
PLACEMENT = "/api/v1/orders"  # keeps its key in the order's own transaction


def body_hash(body: bytes) -> str:
    """What tells a repeat from another request under the same key."""
    return hashlib.sha256(body).hexdigest()


def unfit_key(key: str) -> HttpResponse | None:
    """The refusal of a key that cannot be kept; None for a good one."""
    if says_card(key):
        words = "this looks like a card number; take a random key"
        return problem(422, words, fields=[{"field": "Idempotency-Key", "message": words}])
    if len(key) <= 255 and key.isprintable():
        return None
    return problem(
        422,
        "Idempotency-Key is too long or not printable",
        fields=[{"field": "Idempotency-Key", "message": "at most 255 printable characters"}],
    )


def replay(scope: str, path: str, key: str, digest: str) -> HttpResponse | None:
    """The stored answer, or a refusal for a running or different request; None when the key is free."""
    found = rows(
        "SELECT body_sha256, status, answer, created_at FROM core_idempotencykey "
        "WHERE scope = %s AND path = %s AND key = %s",
        [scope, path, key],
    )
    if not found:
        return None
    known, status, answer, created = found[0]
    age = clock.real_now() - (moment(created) or clock.real_now())
    if age > LIFE or (status == CLAIMED and age > STALE):
        execute(
            "DELETE FROM core_idempotencykey WHERE scope = %s AND path = %s AND key = %s AND created_at = %s",
            [scope, path, key, created],
        )
        return None
    if known != digest:
        return problem(
            422,
            "this Idempotency-Key was used with another body",
            fields=[{"field": "Idempotency-Key", "message": "used before with another body; take a new key"}],
        )
    if status == BEGUN and age > STALE:
        return problem(
            409,
            "the first request with this Idempotency-Key did its work, or part of it, and its answer was lost: "
            "look at what is there, then decide whether to ask again with a new key",
        )
    if status in {CLAIMED, BEGUN}:
        return problem(409, "the first request with this Idempotency-Key is still running; ask again in a moment")
    made = HttpResponse(answer, status=status, content_type="application/json")
    made["Idempotent-Replayed"] = "true"
    return made


class IdempotencyMiddleware:
    """Claims the key before the work, keeps a 2xx answer after it, frees the key otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if not key or request.method != "POST" or not is_api(request) or request.path == PLACEMENT:
            return self.get_response(request)
        if len(request.path) > MAX_PATH or says_card(request.path):
            return self.get_response(request)  # nothing has such an address: there is no answer to keep
        unfit = unfit_key(key)
        if unfit is not None:
            return unfit
        since, scope = clock.real_now(), ""
        digest = body_hash(request.body)
        answered: HttpResponse | None = None
        try:
            actor = bearer(request)
            if actor is not None or request.path.startswith(OPEN):
                scope = actor.id if actor else f"open:{request.path}"[:64]
                answered = replay(scope, request.path, key, digest)
                if answered is None and not _claim(scope, request.path, key, digest, since):
                    answered = problem(
                        409, "the first request with this Idempotency-Key is still running; ask again in a moment"
                    )
        except DatabaseError as error:
            # A middleware's own errors pass by the handler that says 503 for a view's.
            answered = problem_of(error)
            if answered is None:
                raise
        if answered is not None:
            return answered
        if not scope:
            # A stranger, for whom nothing is written down, or the processor, whose events have names of their own.
            return self.get_response(request)
        response: HttpResponse | None = None
        # The first thing that this request commits says so on its key, in the same transaction: should the process die
        # before the answer is kept, nobody repeats the work believing that it was never done.
        mark_first_write(lambda: _begun(scope, request.path, key, since))
        try:
            response = self.get_response(request)
        finally:
            mark_first_write(None)
            _keep(scope, request.path, key, since, response)
        return response


def _claim(scope: str, path: str, key: str, digest: str, since: datetime) -> bool:
    with writing():
        return (
            execute(
                "INSERT INTO core_idempotencykey (scope, path, key, body_sha256, status, answer, created_at) "
                "VALUES (%s, %s, %s, %s, 0, '', %s) ON CONFLICT DO NOTHING",
                [scope, path, key, digest, since],
            )
            == 1
        )


def _keep(scope: str, path: str, key: str, since: datetime, response: HttpResponse | None) -> None:
    """Only on the row that this request made: one that was given up may have lost its key to another."""
    mine = "scope = %s AND path = %s AND key = %s AND created_at = %s AND status <= 0"
    with writing():
        if response is not None and 200 <= response.status_code < 300 and response.status_code != 202:
            execute(
                f"UPDATE core_idempotencykey SET status = %s, answer = %s WHERE {mine}",
                [response.status_code, response.content.decode(), scope, path, key, since],
            )
            return
        if response is None or response.status_code >= 500:
            mine += f" AND status = {CLAIMED}"  # what was begun before the fault is not to be repeated blindly
        execute(f"DELETE FROM core_idempotencykey WHERE {mine}", [scope, path, key, since])


def _begun(scope: str, path: str, key: str, since: datetime) -> None:
    execute(
        "UPDATE core_idempotencykey SET status = %s WHERE scope = %s AND path = %s AND key = %s AND created_at = %s "
        "AND status = %s",
        [BEGUN, scope, path, key, since, CLAIMED],
    )
