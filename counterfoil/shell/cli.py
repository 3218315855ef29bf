"""The `counterfoil` command."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path

from counterfoil.core.cards import mask_cards


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.shell.settings")
    import django

    django.setup()


def _run(args: argparse.Namespace) -> int:
    from counterfoil.shell.runner import run

    return run(demo=args.demo)


def _web(_args: argparse.Namespace) -> int:
    from counterfoil.shell.runner import exec_web

    _django()
    _say_setup_token()
    exec_web()
    return 0


def _worker(_args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.worker import Worker

    Worker().run()
    return 0


def _migrate(_args: argparse.Namespace) -> int:
    _django()
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "sqlite":
        # Names and addresses are nobody's business who only has an account on the machine; the log beside it follows.
        os.close(os.open(connection.settings_dict["NAME"], os.O_RDWR | os.O_CREAT, 0o600))
    call_command("migrate", interactive=False, verbosity=0)
    print("the database is up to date")
    return 0


def _say_setup_token() -> bool:
    """Tell whoever reads the console how to become the owner, while nobody works here."""
    from django.conf import settings
    from django.db import DatabaseError, connections

    from counterfoil.core.access.setup import nobody_yet, setup_token

    try:
        if not nobody_yet():
            return False
    except DatabaseError:  # not migrated yet, or away: the web server says so itself
        return False
    finally:
        connections.close_all()
    print(f"Nobody works here yet. Open {settings.BASE_URL}/desk/setup with this token: {setup_token()}", flush=True)
    return True


def _setup_token(_args: argparse.Namespace) -> int:
    _django()
    if not _say_setup_token():
        print("the shop has an owner already, or its database is not up to date", file=sys.stderr)
        return 1
    return 0


def _import_products(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.records.catalogue.importing import import_products

    return import_products(Path(args.file))


def _import_stock(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.stocktaking import import_stock

    return import_stock(Path(args.file), args.mode)


def _export_stock(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.stocktaking import export_stock

    return export_stock(Path(args.out) if args.out else None)


def _import_orders(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.steps.checkout.importing import import_orders

    return import_orders(Path(args.file))


def _api_key(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.core.access.keys import make_key

    key = make_key(args.name, args.role)
    print("this key is shown once:")
    print(key)
    return 0


def _clock(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.moving import advance_clock

    return advance_clock(args.by)


def _verify(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.flow.verify import judge

    return judge(as_json=args.json, wait=not args.no_wait)


def _reconcile(_args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.reconciling import compare

    return compare()


def _simulate(args: argparse.Namespace) -> int:
    # By its name: it knows the sandbox, which this package does not.
    run = import_module("simulation.run")
    return int(run.main(args.seed, args.orders))


def _export_books(args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.exporting import export_books

    out = Path(args.out) if args.out else None
    return export_books(args.format, since=args.since, until=args.until, out=out, tax_rate=args.tax_rate)


def _demo_load(_args: argparse.Namespace) -> int:
    _django()
    from counterfoil.shell.demo.load import load_demo

    load_demo()
    return 0


def day(text: str) -> date:
    """'2026-11-24' -> date. Raises argparse.ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2026-11-24") from None


def duration(text: str) -> timedelta:
    """'8d', '36h', '90m' -> timedelta. Raises argparse.ArgumentTypeError."""
    found = re.fullmatch(r"(\d{1,6})([dhms])", text)
    if not found or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 8d, 36h or 90m")
    unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def _count(text: str) -> int:
    """A whole number of orders from 1 to 10000. Raises argparse.ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 10000")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    from counterfoil.core.actor import ROLES

    parser = argparse.ArgumentParser(
        prog="counterfoil", description="Order fulfilment, done as a careful shop does it."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(call=call)
        return made

    add("run", _run, "web and worker in one").add_argument(
        "--demo", action="store_true", help="with a demo shop, a sandbox card processor and a mailbox"
    )
    add("web", _web, "the web server alone")
    add("worker", _worker, "the worker alone")
    add("migrate", _migrate, "bring the database up to date")
    add("setup-token", _setup_token, "print the token with which the first person becomes the owner")
    add("import-products", _import_products, "products from a CSV file").add_argument("file")
    stock = add("import-stock", _import_stock, "stock by SKU, bin, lot and date from a CSV file; see docs/stock.md")
    stock.add_argument("file")
    stock.add_argument("--as", dest="mode", required=True, choices=["opening", "counted"])
    add("export-stock", _export_stock, "what is on hand, as such a file").add_argument(
        "--out", metavar="FILE", help="else to standard output"
    )
    add("import-orders", _import_orders, "orders from a file of JSON lines").add_argument("file")
    key = add("api-key", _api_key, "make an API key; it is printed alone on the last line")
    key.add_argument("name")
    key.add_argument("--role", required=True, choices=ROLES)
    moving = add("clock", _clock, "move business time forward (demo and tests only)")
    moving.add_argument("verb", choices=["advance"])
    moving.add_argument("by", type=duration)
    verify = add("verify", _verify, "prove that money, stock and papers agree")
    verify.add_argument("--json", action="store_true")
    verify.add_argument("--no-wait", action="store_true", help="judge at once, without waiting for jobs in flight")
    add("reconcile", _reconcile, "compare every charge and refund at the card processor with ours")
    simulated = add("simulate", _simulate, "tell the story of a seed on a database of its own, with crashes; prove it")
    simulated.add_argument("--seed", type=int, default=1)
    simulated.add_argument("--orders", type=_count, default=20)
    books = add("export-books", _export_books, "the books for another program; see docs/guide/books.md")
    books.add_argument("--format", required=True, metavar="quickbooks|xero|beancount|hledger|csv")
    books.add_argument("--from", dest="since", type=day, metavar="DAY", help="first day of the shop, as 2026-11-01")
    books.add_argument("--to", dest="until", type=day, metavar="DAY", help="last day, included")
    books.add_argument("--out", metavar="FILE", help="else to standard output")
    books.add_argument("--tax-rate", metavar="NAME", help="for Xero: what it calls its rate without tax")
    add("demo-load", _demo_load, "fill an empty database with the demo wine shop (`run --demo` does it)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    args = _parser().parse_args(argv)
    call: Callable[[argparse.Namespace], int] = args.call
    try:
        return call(args)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError) as error:
        print(mask_cards(f"counterfoil {args.command}: {error}"), file=sys.stderr)
        return 2


def print_json(value: object) -> None:
    """One JSON object on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
