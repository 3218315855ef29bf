"""When the demo's past happened: in working days back from now, at hours at which somebody stood in the shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(9, 0), time(17, 30)


@dataclass(frozen=True)
class Days:
    """The shop's working days up to `now` (UTC). Day 0 is the one that has begun, or before opening the last one."""

    now: datetime
    zone: ZoneInfo
    working: frozenset[int]

    @property
    def _local(self) -> datetime:
        return self.now.astimezone(self.zone)

    @property
    def _open_today(self) -> bool:
        return self._local.weekday() in self.working and self._local.time() >= OPENS

    def day(self, back: int) -> date:
        """The date of the working day `back` working days before day 0."""
        found = self._local.date()
        left = back if self._open_today else back + 1
        while left > 0:
            found -= timedelta(days=1)
            left -= found.weekday() in self.working
        return found

    def ahead(self, days: int) -> date:
        """The date `days` working days after today."""
        found = self._local.date()
        while days > 0:
            found += timedelta(days=1)
            days -= found.weekday() in self.working
        return found

    def at(self, when: str) -> datetime:
        """'3 14:10' -> ten past two on day 3; '25m' -> 25 minutes ago.

        While day 0 is going on, its opening hours so far stand for the whole of it: nothing happens in the future.
        """
        if when.endswith("m"):
            return self.now - timedelta(minutes=int(when[:-1]))
        back, _, clock = when.partition(" ")
        hour = time.fromisoformat(clock)
        day = self.day(int(back))
        moment = datetime.combine(day, hour, self.zone)
        if int(back) == 0 and self._open_today and hour > OPENS:
            begin, end = datetime.combine(day, OPENS, self.zone), datetime.combine(day, CLOSES, self.zone)
            passed = min(self._local, end) - begin
            moment = begin + passed * ((moment - begin) / (end - begin))
        return min(moment, self.now)

    def midnights(self, back: int) -> list[datetime]:
        """A minute past each of the shop's midnights from the date of day `back` up to now."""
        day, out = self.day(back) + timedelta(days=1), []
        while (moment := datetime.combine(day, time(0, 1), self.zone)) <= self.now:
            out.append(moment)
            day += timedelta(days=1)
        return out
