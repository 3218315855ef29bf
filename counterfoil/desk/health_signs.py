"""Is the shop well? From facts to words that a shop owner understands, each with what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

OK, WARN, BAD = "ok", "warn", "bad"
# What a job that was given up was to do. One that is not here is called other work.
WORK = {
    "mail.send": "mails to customers",
    "flow.advance": "orders to be moved on",
    "flow.look_again": "orders to be looked at after a change of the settings",
    "flow.cancel": "orders to be cancelled",
    "desk.deed": "acts that had waited for their Undo",
    "desk.run": "runs over many orders",
    "desk.ship_file": "shipping by the file of a carrier's program",
    "core.render": "papers to be drawn",
    "charging.save_card": "cards to be saved",
    "charging.send": "charges",
    "charging.asked": "charges that wait for the card to be saved",
    "charging.authorise": "amounts to be held by the bank",
    "charging.look_at_hold": "amounts held by the bank to be looked at",
    "charging.release": "amounts held by the bank to be let go",
    "charging.refund": "refunds",
    "charging.withdraw": "charges to be withdrawn",
    "charging.close_link": "links to pay to be closed",
    "charging.look_link": "links to pay to be looked at",
    "charging.close_pages": "card pages to be closed",
    "charging.expire_checkout": "unfinished check-outs to be ended",
    "charging.pay_mail": "mails with a link to pay",
    "charging.retry": "declined cards to be tried again",
    "charging.let_go": "goods to be let go that nobody has paid",
    "charging.reconcile": "comparisons with the bank",
    "charging.balance": "payouts and fees to be read",
    "charging.answer": "answers to disputes",
    "charging.inbox": "messages from the card processor",
    "invoicing.credit_note": "credit notes",
    "sourcing.fill": "goods that came to be given to orders that wait",
    "sourcing.unpeg": "goods on order to be given to others",
    "sourcing.count": "products to be counted",
    "acceptance.reissue": "new versions of sales orders",
    "alternatives.expire": "questions whose time is over to be closed",
}
GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Facts:
    """What was found; times are real times."""

    now: datetime
    database: str = "SQLite"
    database_bytes: int = 0
    disk_free: int = 100 * GIGABYTE
    disk_total: int = 200 * GIGABYTE
    worker: datetime | None = None
    due: int = 0  # jobs that could be done now
    due_since: datetime | None = None
    dead: dict[str, int] = field(default_factory=dict)  # given up, by name
    mail_set: bool = True
    mails_waiting: int = 0
    mails_since: datetime | None = None
    mail_error: str = ""
    mail_sent: datetime | None = None
    card_key: str = "live"  # none, test, live
    card_away: datetime | None = None
    card_waiting: int = 0
    backups: str = ""  # the folder that COUNTERFOIL_BACKUPS names
    backup: datetime | None = None
    verified: datetime | None = None
    broken: int = 0
    demo: bool = False


@dataclass(frozen=True)
class Sign:
    """One thing that is well or is not: what it is, what was found, what to do."""

    state: str
    title: str
    found: str
    todo: str = ""


def signs(facts: Facts) -> list[Sign]:
    """Everything that is looked at, in a fixed order."""
    return [
        Sign(OK, "Database", f"{facts.database} answers; it holds {_bytes(facts.database_bytes)}."),
        _disk(facts), _worker(facts), _given_up(facts), _mail(facts), _card(facts), _backup(facts), _verified(facts),
    ]  # fmt: skip


def worst(found: list[Sign]) -> str:
    states = {sign.state for sign in found}
    return BAD if BAD in states else WARN if WARN in states else OK


def _bytes(count: int) -> str:
    for size, name in ((GIGABYTE, "GB"), (1_000_000, "MB")):
        if count >= size:
            return f"{count / size:,.1f} {name}"
    return f"{count / 1000:,.0f} kB"


def _since(facts: Facts, moment: datetime) -> str:
    seconds = max(0.0, (facts.now - moment).total_seconds())
    if seconds < 120:
        return f"{int(seconds)} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


def _disk(facts: Facts) -> Sign:
    free = facts.disk_free
    words = f"{_bytes(free)} of {_bytes(facts.disk_total)} are free."
    todo = "Make room before it is full: nothing can be kept on a full disk. Old backups and logs are what can go."
    if free < GIGABYTE // 2:
        return Sign(BAD, "Disk", words, todo)
    return Sign(WARN, "Disk", words, todo) if free < 5 * GIGABYTE else Sign(OK, "Disk", words)


def _worker(facts: Facts) -> Sign:
    start = "Start it: “counterfoil worker”, or “counterfoil run” for all of the shop. Nothing is lost meanwhile."
    if facts.worker is None:
        return Sign(BAD, "Worker", "No worker has ever been at work: no mail goes out, no card is charged.", start)
    if facts.now - facts.worker > timedelta(minutes=2):
        return Sign(BAD, "Worker", f"No worker for {_since(facts, facts.worker)}; {facts.due:,} jobs wait.", start)
    if facts.due_since is not None and facts.now - facts.due_since > timedelta(minutes=5):
        words = f"It is at work, and {facts.due:,} jobs wait, the oldest for {_since(facts, facts.due_since)}."
        return Sign(WARN, "Worker", words, "If it does not shrink, start a second one: “counterfoil worker”.")
    return Sign(OK, "Worker", "It is at work; nothing waits long.")


def _given_up(facts: Facts) -> Sign:
    count = sum(facts.dead.values())
    if not count:
        return Sign(OK, "Jobs", "None was given up.")
    work: dict[str, int] = {}
    for name, number in facts.dead.items():
        what = WORK.get(name, "other work")
        work[what] = work.get(what, 0) + number
    what_said = ", ".join(f"{what} ({number})" for what, number in sorted(work.items()))
    words = f"{count} {'was' if count == 1 else 'were'} tried many times and given up: {what_said}."
    return Sign(BAD, "Jobs", words, "Have who looks after the server run “counterfoil verify”: it lists each, and why.")


def _mail(facts: Facts) -> Sign:
    if not facts.mail_set:
        kept = f"{facts.mails_waiting:,} {'mail waits' if facts.mails_waiting == 1 else 'mails wait'}"
        words = f"No mail server is named{f'; {kept}' if facts.mails_waiting else ''}."
        todo = "Set EMAIL_URL (smtp+tls://user:password@host:587) and start again; what waits goes then."
        if facts.mail_sent is None:
            return Sign(WARN, "Mail", words, todo)
        return Sign(BAD, "Mail", f"{words} The last one went out {_since(facts, facts.mail_sent)} ago.", todo)
    if facts.mails_since is not None and facts.now - facts.mails_since > timedelta(minutes=5):
        said = f" The mail server says: {facts.mail_error}" if facts.mail_error else ""
        words = f"{facts.mails_waiting:,} mails wait, the oldest for {_since(facts, facts.mails_since)}.{said}"
        todo = "Look at your mail provider; check name and password in EMAIL_URL. They go by themselves when it works."
        return Sign(BAD, "Mail", words, todo)
    if facts.mail_sent is None:
        return Sign(OK, "Mail", "No mail was sent yet.")
    return Sign(OK, "Mail", f"The last one went out {_since(facts, facts.mail_sent)} ago.")


def _card(facts: Facts) -> Sign:
    if facts.card_key == "none":
        todo = "Set STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET and start again; see the guide to payments."
        return Sign(BAD, "Card processor", "None is connected: no card can be saved or charged.", todo)
    if facts.card_away is not None:
        away = _since(facts, facts.card_away)
        words = f"It has not answered for {away}; {facts.card_waiting:,} charges and refunds wait."
        return Sign(BAD, "Card processor", words, "Nothing to do: they go by themselves, once each, when it is back.")
    if facts.card_key == "test" and not facts.demo:
        todo = "Put in the live key when you open; no real card works with this one."
        return Sign(WARN, "Card processor", "It answers, with a test key: no real money moves.", todo)
    return Sign(OK, "Card processor", "It answers.")


def _backup(facts: Facts) -> Sign:
    if not facts.backups:
        state = OK if facts.demo else WARN
        words = "Nobody has said where backups are put." if not facts.demo else "A demo needs none."
        return Sign(state, "Backup", words, "" if facts.demo else "Make one every night and name its folder in "
                    "COUNTERFOIL_BACKUPS; see the guide to going live.")  # fmt: skip
    if facts.backup is None:
        return Sign(BAD, "Backup", f"There is none in {facts.backups}.", "See whether the nightly backup runs.")
    words = f"The newest is {_since(facts, facts.backup)} old."
    if facts.now - facts.backup > timedelta(hours=36):
        return Sign(BAD, "Backup", words, "See whether the nightly backup runs.")
    return Sign(OK, "Backup", words)


def _verified(facts: Facts) -> Sign:
    todo = "Run “counterfoil verify” at the server: it proves that money, stock and papers agree."
    if facts.verified is None:
        return Sign(OK if facts.demo else WARN, "Books", "Nobody has had them verified yet.", todo)
    ago = _since(facts, facts.verified)
    if facts.broken:
        words = f"Verified {ago} ago: {facts.broken} findings."
        return Sign(BAD, "Books", words, "Run “counterfoil verify”; send what it prints to who looks after the server.")
    late = facts.now - facts.verified > timedelta(days=8)
    return Sign(WARN if late else OK, "Books", f"Verified {ago} ago: everything agreed.", todo if late else "")
