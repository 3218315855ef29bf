"""Core's tables. They carry order numbers, never foreign keys to rooms above."""

from __future__ import annotations

from django.db import models


class BusinessClock(models.Model):
    """One row: how far business time runs ahead of real time. Moved in demo and tests only."""

    id = models.SmallIntegerField(primary_key=True)
    offset_seconds = models.FloatField(default=0)


class Setting(models.Model):
    """What the shop owner decides, by key. Defaults live in `core/shop.py`."""

    key = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField()


class JournalEvent(models.Model):
    """What happened, in order, for good. `moves` lets the states be replayed; triggers forbid change and removal."""

    subject = models.CharField(max_length=40)  # an order's number, or a purchase order's, a product's...
    part = models.SmallIntegerField(null=True)
    version = models.IntegerField(default=0)  # the order's version that this event made
    kind = models.CharField(max_length=60)
    at = models.DateTimeField()  # business time
    recorded_at = models.DateTimeField()  # real time
    actor_kind = models.CharField(max_length=12)
    actor = models.CharField(max_length=200)
    text = models.TextField()
    data = models.JSONField(default=dict)
    moves = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["subject", "id"], name="journal_subject")]


class Job(models.Model):
    """Work owed, inserted in the transaction that owes it. Done rows are removed; dead ones wait for a person."""

    QUEUED, RUNNING, DEAD = "queued", "running", "dead"

    name = models.CharField(max_length=60)
    key = models.CharField(max_length=160)  # one queued row per key: asking twice is asking once
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, default=QUEUED)
    run_at = models.DateTimeField()  # real time
    attempts = models.IntegerField(default=0)
    fence = models.IntegerField(default=0)  # grows with each claim; a worker that lost its lease cannot write
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, default="")
    last_error = models.TextField(default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(state="queued"), name="job_one_queued_per_key")
        ]
        indexes = [
            models.Index(fields=["run_at"], condition=models.Q(state="queued"), name="job_due"),
            models.Index(fields=["lease_until"], condition=models.Q(state="running"), name="job_leased"),
            models.Index(fields=["id"], condition=models.Q(state="dead"), name="job_dead"),
        ]


class Series(models.Model):
    """A numbered series without gaps: the next number is taken inside the transaction that uses it."""

    prefix = models.CharField(max_length=8, primary_key=True)
    next = models.BigIntegerField(default=1)


class Document(models.Model):
    """A paper: number, frozen content and hash commit with the act; the PDF is rendered from them afterwards."""

    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=24)
    subject = models.CharField(max_length=40)
    part = models.SmallIntegerField(default=1)
    version = models.IntegerField(default=1)
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()  # business time

    class Meta:
        indexes = [
            models.Index(fields=["subject", "kind", "id"], name="document_subject"),
            # What a day sheet asks for by time.
            models.Index(
                fields=["kind", "issued_at"],
                condition=models.Q(kind__in=["invoice", "credit-note", "day-sheet"]),
                name="document_day",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["subject", "kind", "part", "version"], name="document_once_per_version")
        ]


class Rendering(models.Model):
    """A document's PDF as it was first made, so that it stays the same when the template is improved."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT)
    paper = models.CharField(max_length=8)
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()  # real time

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "paper"], name="rendering_once")]


class Logo(models.Model):
    """A logo that the shop had once or has now, drawn anew; triggers keep it for the papers that carry it."""

    name = models.CharField(max_length=32, unique=True)  # made of what is in it
    paper = models.BinaryField()  # PNG, as is the other
    screen = models.BinaryField()
    width = models.SmallIntegerField()  # as pages show it, in CSS pixels
    height = models.SmallIntegerField()
    kept_at = models.DateTimeField()  # real time


class Printing(models.Model):
    """Somebody printed a paper: who and when. The second one carries the REPRINT mark."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)


class Telling(models.Model):
    """What a mail would have said to a customer who has no e-mail address: somebody says it on the telephone."""

    subject = models.CharField(max_length=40)  # the order's number
    kind = models.CharField(max_length=24)  # of mail
    title = models.CharField(max_length=200)  # what it is about
    key = models.CharField(max_length=200, unique=True)  # the event, as a mail has it: asking twice is asking once
    context = models.JSONField()
    documents = models.JSONField(default=list)  # numbers of papers that would have come with it
    owed_at = models.DateTimeField()  # business time, as is the other
    told_at = models.DateTimeField(null=True)
    told_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="telling_subject"),
            models.Index(fields=["owed_at"], condition=models.Q(told_at__isnull=True), name="telling_open"),
        ]


class IdempotencyKey(models.Model):
    """An outsider's `Idempotency-Key`, by API key and path; only a 2xx answer is kept, for 24 hours of real time."""

    scope = models.CharField(max_length=64)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.SmallIntegerField(default=0)  # 0 while running
    answer = models.TextField(default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "path", "key"], name="idempotency_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]
