"""`counterfoil run`: starts what a shop needs, watches over it, ends all of it together."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from counterfoil.shell.crew import PYTHON, ROOT, STOPPED, Crew


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _settings() -> tuple[str, int, Path]:
    host = os.environ.get("HOST") or "127.0.0.1"
    try:
        port = int(os.environ.get("PORT") or 8000)
    except ValueError:
        raise SystemExit(f"PORT={os.environ['PORT']} is not a number") from None
    var = Path(os.environ.get("COUNTERFOIL_VAR") or ROOT / "var").resolve()
    var.mkdir(parents=True, exist_ok=True)
    return host, port, var


def exec_web() -> None:
    """Become the web server: granian, two workers of three threads."""
    host, port, _ = _settings()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.shell.settings")
    command = [
        PYTHON, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", "2",
        "--blocking-threads", "3", "--no-access-log", "--log-level", "warning", "counterfoil.shell.wsgi:application",
    ]  # fmt: skip
    os.execv(PYTHON, command)  # noqa: S606 (our own interpreter, a list of words)


def _demo_secrets(var: Path) -> dict[str, str]:
    """The demo's own keys, made once and kept (0600): they open the sandbox and nothing else."""
    keep = var / "demo-secrets.json"
    if keep.exists():
        found: dict[str, str] = json.loads(keep.read_text())
        return found
    made = {"api_key": f"sk_test_{secrets.token_hex(16)}", "webhook_secret": f"whsec_{secrets.token_hex(16)}"}
    with os.fdopen(os.open(keep, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(made, out)
    return made


def run(*, demo: bool) -> int:
    """Start web and worker (with `demo` also the sandbox, the mailbox and the demo shop); ends on Ctrl-C."""
    host, port, var = _settings()
    run_file = var / "run.json"
    if not port_is_free(host, port):
        again = "make run" if demo else "counterfoil run"
        print(f"Port {port} on {host} is busy. Use another one: PORT={port + 1} {again}", file=sys.stderr)
        return 2
    # What an earlier shop left behind must not speak for this one.
    run_file.unlink(missing_ok=True)
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 (what was asked for, not what we choose)
    base = (os.environ.get("COUNTERFOIL_BASE_URL") or f"http://{shown}:{port}").rstrip("/")
    env = {
        **os.environ,
        "HOST": host,
        "PORT": str(port),
        "COUNTERFOIL_VAR": str(var),
        "COUNTERFOIL_BASE_URL": base,
        "DJANGO_SETTINGS_MODULE": "counterfoil.shell.settings",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{var / 'counterfoil.sqlite3'}",
    }
    crew = Crew(env)
    _listen(crew)
    ports = (free_port(), free_port(), free_port()) if demo else None
    facts = _demo_env(env, var, ports) if ports else {}
    began = time.monotonic()
    if ports:
        _start_demo(crew, var, ports, base, port)
    crew.once(PYTHON, "-m", "counterfoil.shell.cli", "migrate")
    if ports:
        _load_demo(crew)
    web = f"http://{'[::1]' if ':' in shown else shown}:{port}"
    crew.start("web", PYTHON, "-m", "counterfoil.shell.cli", "web")
    crew.start("worker", PYTHON, "-m", "counterfoil.shell.cli", "worker")
    if not _answers(crew, f"{web}/healthz"):
        crew.end()
        if crew.stopping:
            return STOPPED
        print("the web server did not come up", file=sys.stderr)
        return 1
    _write_run_file(run_file, env, base, web, facts)
    _greet(base, demo, time.monotonic() - began)
    try:
        return crew.watch()
    finally:
        run_file.unlink(missing_ok=True)


def _listen(crew: Crew) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        crew.stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _demo_env(env: dict[str, str], var: Path, ports: tuple[int, int, int]) -> dict[str, str]:
    keys = _demo_secrets(var)
    sandbox, smtp, mailbox = ports
    env.update(
        {
            "COUNTERFOIL_DEMO": "1",
            "STRIPE_API_KEY": keys["api_key"],
            "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox}",
            "STRIPE_WEBHOOK_SECRET": keys["webhook_secret"],
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
            "COUNTERFOIL_SANDBOX_URL": f"http://127.0.0.1:{sandbox}",
            "COUNTERFOIL_MAILBOX_URL": f"http://127.0.0.1:{mailbox}",
        }
    )
    return {"demo": "1"}


def _start_demo(crew: Crew, var: Path, ports: tuple[int, int, int], base: str, port: int) -> None:
    sandbox, smtp, mailbox = ports
    env = crew.env
    crew.start(
        "sandbox", PYTHON, "-m", "sandbox.processor", "--port", str(sandbox), "--data", str(var / "sandbox"),
        "--webhook-url", f"http://127.0.0.1:{port}/api/v1/webhooks/stripe",
        "--webhook-secret", env["STRIPE_WEBHOOK_SECRET"], "--public-url", f"{base}/sandbox",
        "--api-key", env["STRIPE_API_KEY"], "--shop-name", "Alder & Quill Wines",
    )  # fmt: skip
    crew.start(
        "mailbox", PYTHON, "-m", "sandbox.mailbox", "--smtp-port", str(smtp), "--http-port", str(mailbox),
        "--data", str(var / "mailbox"),
    )  # fmt: skip


def _load_demo(crew: Crew) -> None:
    """Fill the shop, once; its past is told with the sandbox and the mailbox running."""
    for url in (crew.env["COUNTERFOIL_SANDBOX_URL"], crew.env["COUNTERFOIL_MAILBOX_URL"]):
        if not _answers(crew, f"{url}/healthz"):
            crew.end()
            raise SystemExit(STOPPED if crew.stopping else "the demo's sandbox did not come up")
    crew.once(PYTHON, "-m", "counterfoil.shell.cli", "demo-load")


def _answers(crew: Crew, url: str, seconds: float = 120) -> bool:
    """Whether the address answers 200 in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not crew.stopping:
        if any(c.process.poll() is not None for c in crew.children):
            return False
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own http address)
                if answer.status == 200:
                    return True
        except OSError:
            time.sleep(0.1)
    return False


def _write_run_file(keep: Path, env: dict[str, str], base: str, web: str, facts: dict[str, str]) -> None:
    from counterfoil.shell.demo.people import DEMO_PASSWORD, STAFF

    demo = bool(facts)
    content: dict[str, object] = {
        "pid": os.getpid(),
        "demo": "1" if demo else "0",
        "base_url": base,
        "shop_url": web,
        "database_url": env["DATABASE_URL"],
    }
    if demo:
        content |= {
            "sandbox_url": env["COUNTERFOIL_SANDBOX_URL"],
            "mailbox_url": env["COUNTERFOIL_MAILBOX_URL"],
            "stripe_api_key": env["STRIPE_API_KEY"],
            "stripe_api_base": env["STRIPE_API_BASE"],
            "stripe_webhook_secret": env["STRIPE_WEBHOOK_SECRET"],
            "email_url": env["EMAIL_URL"],
            "logins": [{"email": s.email, "role": s.role, "password": DEMO_PASSWORD} for s in STAFF],
        }
    beside = keep.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=2)
    beside.replace(keep)


def _greet(base: str, demo: bool, seconds: float) -> None:
    host = urlsplit(base).netloc
    lines = [
        f"Counterfoil is ready after {seconds:.1f} s  ({host})",
        "",
        f"  Shop      {base}/",
        f"  Desk      {base}/desk/",
    ]
    lines.append(f"  API       {base}/api/v1/docs")
    if demo:
        from counterfoil.shell.demo.people import DEMO_PASSWORD, STAFF

        lines += [f"  Mailbox   {base}/mailbox/", "", f"  Log in with one of these; the password is {DEMO_PASSWORD}"]
        lines += [f"    {s.email:<24} {s.role}" for s in STAFF]
    lines += ["", "  Ctrl-C ends everything; the same command goes on where it stood.", ""]
    print("\n".join(lines), flush=True)
