"""What the desk keeps: acts that wait for their Undo or run in bulk, and each person's own filters."""

from __future__ import annotations

from django.db import models

from counterfoil.core.access.models import User
from counterfoil.core.actor import Actor
from counterfoil.records.orders.models import Order


class Run(models.Model):
    """One act on many orders: who wanted it, and what. Its rows are `Deed`s and have a result each."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    queue = models.CharField(max_length=16)
    verb = models.CharField(max_length=20)
    made_at = models.DateTimeField()  # real time
    due_at = models.DateTimeField()  # real time: until then all of it can be undone


class Deed(models.Model):
    """An act that somebody at the desk wanted and that is done by a job: alone after the time for Undo, or in a run."""

    # waiting -> done | refused | undone, each a compare-and-set in the transaction of the act itself. An act that calls
    # the bank cannot stand in a transaction: it goes waiting -> running -> done | asked | refused, and a worker that
    # dies meanwhile leaves "running" behind, which the next one does again: the act knows what it has done already.
    WAITING, RUNNING, DONE, ASKED, REFUSED, UNDONE = "waiting", "running", "done", "asked", "refused", "undone"
    OPEN = (WAITING, RUNNING)

    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="deeds")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="deeds")
    verb = models.CharField(max_length=20)
    form = models.JSONField(default=dict)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    state = models.CharField(max_length=8, default=WAITING)
    made_at = models.DateTimeField()  # real time
    due_at = models.DateTimeField()  # real time
    done_at = models.DateTimeField(null=True)
    message = models.TextField(default="")
    seen = models.BooleanField(default=False)  # a refusal that its person has been told of

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state__in=("waiting", "running")), name="deed_one_open_per_order"
            )
        ]
        indexes = [
            models.Index(fields=["user"], condition=models.Q(state__in=("waiting", "running")), name="deed_open"),
            models.Index(fields=["user"], condition=models.Q(state="refused", seen=False), name="deed_to_tell"),
            models.Index(fields=["run", "id"], name="deed_of_run"),
        ]

    @property
    def actor(self) -> Actor:
        """Whoever wanted it, with the role that they have when it is done."""
        return self.user.actor


class ShipFile(models.Model):
    """A file of a carrier's program, or rows of one that were mended: its parcels are shipped by a job, one by one."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    made_at = models.DateTimeField()  # real time


class FileParcel(models.Model):
    """A row of such a file, as it was written there (card numbers masked), and what came of it."""

    # waiting -> running -> done | refused, or waiting -> undone; each a compare-and-set. A worker that dies leaves
    # "running" behind: done again, a parcel that has left is known by its number.
    WAITING, RUNNING, DONE, REFUSED, UNDONE = "waiting", "running", "done", "refused", "undone"
    OPEN = (WAITING, RUNNING)

    file = models.ForeignKey(ShipFile, on_delete=models.PROTECT, related_name="parcels")
    line = models.IntegerField()  # of the file, from 2 on
    named = models.CharField(max_length=200)  # the order, as the file calls it
    tracking = models.CharField(max_length=200)
    carrier = models.CharField(max_length=200)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="file_parcels")
    packages = models.JSONField(default=list)  # the boxes under this label; empty: all that wait
    state = models.CharField(max_length=8, default=WAITING)
    message = models.TextField(default="")
    wrong = models.CharField(max_length=8, default="")  # the cell of a refused row that is to be mended
    done_at = models.DateTimeField(null=True)  # real time

    class Meta:
        indexes = [models.Index(fields=["file", "state", "id"], name="parcel_of_file")]


class SavedFilter(models.Model):
    """A filter of a queue that a person keeps under a name of theirs."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    name = models.CharField(max_length=40)
    queue = models.CharField(max_length=16)
    query = models.CharField(max_length=1500)  # of the queue's address
    made_at = models.DateTimeField()  # real time

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="filter_once_per_name")]
