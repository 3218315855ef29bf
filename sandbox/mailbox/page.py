"""The page for people. No script, and only relative links, so that it works under any path of a proxy."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from sandbox.mailbox.store import Search

STYLE = Markup("""
:root{color-scheme:light dark;
--paper:light-dark(#faf8f4,#17151a);--card:light-dark(#fff,#201d24);--ink:light-dark(#1d1a20,#f1edf2);
--soft:light-dark(#6b6570,#a59daa);--line:light-dark(#e6e1da,#37323c);--wine:light-dark(#7b1e3f,#e58aa5);
--wine-bg:light-dark(#f7e9ee,#3a1c28);--warn:light-dark(#8a5200,#f0b866);--warn-bg:light-dark(#fcf0dc,#3a2a10)}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.45 ui-sans-serif,system-ui,"Segoe UI",Roboto,
"Noto Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
a{color:var(--wine)}a:focus-visible,input:focus-visible,button:focus-visible{outline:2px solid var(--wine);
outline-offset:2px}
header{display:flex;gap:16px;align-items:center;flex-wrap:wrap;padding:10px 18px;background:var(--card);
border-bottom:1px solid var(--line)}
h1{font-size:16px;margin:0;letter-spacing:-.01em}h1 i{font-style:normal;color:var(--wine)}
form{display:flex;gap:8px;flex:1;flex-wrap:wrap}
input{flex:1;min-width:120px;max-width:280px;font:inherit;color:inherit;background:var(--paper);
border:1px solid var(--line);border-radius:8px;padding:6px 10px}
button{font:inherit;font-weight:600;color:inherit;background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:6px 12px;cursor:pointer}
.soft{color:var(--soft)}
.panes{display:grid;grid-template-columns:minmax(280px,380px) minmax(0,1fr);gap:18px;padding:18px;max-width:1400px}
ol{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:10px;
overflow:hidden}
ol li+li{border-top:1px solid var(--line)}
ol a{display:block;padding:10px 14px;color:inherit;text-decoration:none}ol a:hover{background:var(--paper)}
ol a[aria-current]{background:var(--wine-bg);box-shadow:inset 3px 0 var(--wine)}
ol b{font-weight:650}ol a>span:last-child{display:flex;justify-content:space-between;gap:10px;
color:var(--soft);font-size:13px}
.pill{display:inline-block;border-radius:99px;padding:1px 9px;font-size:12px;font-weight:600;background:var(--warn-bg);
color:var(--warn);white-space:nowrap}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;align-self:start;overflow:hidden}
.stub{padding:16px 18px;border-bottom:2px dashed var(--line)}
h2{font-size:20px;margin:0 0 8px;letter-spacing:-.01em}h3{font-size:12px;letter-spacing:.06em;margin:0 0 6px;
text-transform:uppercase;color:var(--soft)}
dl{display:grid;grid-template-columns:auto 1fr;gap:2px 12px;margin:0}dt{color:var(--soft)}dd{margin:0}
section{padding:14px 18px;border-top:1px solid var(--line)}.stub+section{border-top:0}
iframe{width:100%;height:560px;border:1px solid var(--line);border-radius:8px;background:#fff;color-scheme:light}
pre{white-space:pre-wrap;font:13px/1.5 ui-monospace,monospace;margin:0}
section ul{margin:0;padding-left:18px}summary{cursor:pointer;color:var(--soft)}details pre{margin-top:10px}
.none{padding:48px 18px;text-align:center}
@media(max-width:800px){.panes{grid-template-columns:minmax(0,1fr);padding:12px}.chosen ol{max-height:260px;
overflow:auto}}
""")

LINK = re.compile(r"""href\s*=\s*["'](https?://[^"'\s]+)["']|(https?://[^\s<>"']+)""", re.IGNORECASE)


def page(mails: list[dict[str, Any]], mail: dict[str, Any] | None, search: Search, total: int) -> str:
    """The whole page: the found `mails` (newest first) beside the chosen one."""
    rows = Markup("").join(_row(m, search, chosen=mail is not None and m["id"] == mail["id"]) for m in mails)
    found = Markup("<ol>{}</ol>").format(rows) if mails else Markup('<p class="none soft">No mail matches.</p>')
    body = Markup('<div class="panes chosen"><nav aria-label="Mails">{}</nav><main>{}</main></div>').format(
        found, _mail(mail) if mail else ""
    )
    if not total:
        body = Markup('<p class="none soft">No mail yet. What the shop sends arrives here and goes nowhere else.</p>')
    title = f"{mail['subject'] or 'No subject'} – Mailbox" if mail else "Mailbox"
    return Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        '<style>{style}</style></head><body><header><h1>Mail<i>box</i></h1><form action="./" role="search">'
        '<input name="to" aria-label="To" placeholder="To" value="{to}">'
        '<input name="subject" aria-label="Subject" placeholder="Subject" value="{subject}">'
        '<button>Find</button></form>'
        '<span class="soft">{shown} of {total} kept · nothing leaves this machine</span></header>{body}</body></html>'
    ).format(
        title=title, style=STYLE, to=search.to, subject=search.subject, shown=len(mails), total=total, body=body
    )  # fmt: skip


def _row(mail: dict[str, Any], search: Search, *, chosen: bool) -> Markup:
    kept = {"to": search.to, "subject": search.subject, "id": mail["id"]}
    link = "./?" + urlencode({name: value for name, value in kept.items() if value})
    return Markup('<li><a href="{}"{}><b>{}</b> {}<span><span>{}</span>{}</span></a></li>').format(
        link,
        Markup(' aria-current="true"') if chosen else "",
        mail["subject"] or "No subject",
        Markup('<span class="pill">copy</span>') if mail["duplicate_of"] else "",
        ", ".join(mail["to"]),
        _moment(mail["received_at"]),
    )


def _mail(mail: dict[str, Any]) -> Markup:
    copy = ""
    if mail["duplicate_of"]:
        copy = Markup('<p><a class="pill" href="./?id={0}">sent again: a copy of mail {0}</a></p>').format(
            mail["duplicate_of"]
        )
    stub = Markup(
        '<div class="stub"><h2>{}</h2>{}<dl><dt>From</dt><dd>{}</dd><dt>To</dt><dd>{}</dd><dt>Received</dt><dd>{}</dd>'
        "<dt>Mail</dt><dd>{} · {}</dd></dl></div>"
    ).format(
        mail["subject"] or "No subject",
        copy,
        mail["from"] or mail["envelope_from"],
        ", ".join(mail["to"]),
        _moment(mail["received_at"]),
        Markup('<a href="messages/{0}">no. {0}</a>').format(mail["id"]),
        Markup('<a href="messages/{}/raw">as it came</a>').format(mail["id"]),
    )
    return Markup("<article>{}{}{}{}</article>").format(stub, _files(mail), _links(mail), _words(mail))


def _files(mail: dict[str, Any]) -> Markup:
    rows = Markup("").join(
        Markup('<li><a href="messages/{}/attachments/{}">{}</a> <span class="soft">{} · {}</span></li>').format(
            mail["id"], file["n"], file["filename"], file["content_type"], _size(file["size"])
        )
        for file in mail["attachments"]
    )
    return Markup("<section><h3>Attached</h3><ul>{}</ul></section>").format(rows) if rows else Markup("")


def _words(mail: dict[str, Any]) -> Markup:
    text = Markup("<pre>{}</pre>").format(mail["text"] or "")
    if mail["html"] is None:
        return Markup("<section>{}</section>").format(text)
    frame = Markup('<iframe sandbox src="messages/{}/html" title="The mail as sent in HTML"></iframe>').format(
        mail["id"]
    )
    plain = Markup("<section><details><summary>As plain text</summary>{}</details></section>").format(text)
    return Markup("<section>{}</section>{}").format(frame, plain if mail["text"] else "")


def _links(mail: dict[str, Any]) -> Markup:
    """The mail's links once more: those inside the shut-in frame cannot be followed."""
    found = [a or b.rstrip(".,;:!?)") for a, b in LINK.findall(f"{mail['html'] or ''}\n{mail['text'] or ''}")]
    rows = Markup("").join(
        Markup('<li><a href="{0}" rel="noreferrer">{0}</a></li>').format(escape(link))
        for link in dict.fromkeys(unescape(link) for link in found)
    )
    return Markup("<section><h3>Links in this mail</h3><ul>{}</ul></section>").format(rows) if rows else Markup("")


def _moment(received_at: str) -> Markup:
    moment = datetime.fromisoformat(received_at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        received_at, received_at, f"{moment:%a} {moment.day} {moment:%b, %H:%M} UTC"
    )


def _size(size: int) -> str:
    return f"{size} bytes" if size < 1024 else f"{size / 1024:.0f} kB"
