"""The wording of the mails: the shop's subject, opening and closing for each, with a preview of a made-up order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_safe

from counterfoil.core import shop as shops
from counterfoil.core.actor import OWNER
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.core.web import CSP, actor_of_page, staff
from counterfoil.desk.how import MAILS
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.settings.pages import mark_of, told
from counterfoil.desk.settings.sample import sample
from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.flow.settings import change_settings, settings_log, settings_mark
from counterfoil.gateways.mail.wording import KINDS, PARTS, check_words, dressed, headed, placeholders, with_words

# A mail carries its styles in itself, as mail programs want it, and nothing that acts.
_MAIL = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"


@staff(OWNER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every mail to a customer, and whether it bears the shop's own words."""
    context = {"here": "settings", "at": "mails", "sections": SECTIONS.values(), "kinds": KINDS, "names": MAILS}
    return desk_page(request, "desk/settings/mails.html", {**context, "own": shop().mail_words})


@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, kind: str) -> HttpResponse:
    """One mail's words: shown, or stored as sent."""
    if kind not in KINDS:
        raise Http404("there is no such mail")

    def kept(changed: bool) -> HttpResponse:
        say(request, "Kept. The next mail says it." if changed else "Nothing was different.")
        return SeeOther(f"/desk/settings/mails/{kind}")

    more = {"at": "mails", "sections": SECTIONS.values(), "keep_label": "Keep these words"}
    return words_form(request, kind, "desk/settings/mail.html", f"/desk/settings/mails/{kind}", more, kept)


def words_form(
    request: HttpRequest,
    kind: str,
    template: str,
    here: str,
    more: dict[str, Any],
    kept: Callable[[bool], HttpResponse],
) -> HttpResponse:
    """The form of one mail's words on a page at `here`; `kept` answers once they are stored, told if any differed."""
    page = _Page(kind, template, {"here": "settings", "address": here, **more})
    shops.forget()
    mark = settings_mark()
    if request.method != "POST":
        return page.draw(request, shop().mail_words.get(kind, {}), mark)
    words, seen = _words(request), mark_of({"seen": request.POST.get("seen", "")})
    wrong = check_words(kind, words)
    if wrong:
        return page.draw(request, words, mark, errors=dict(wrong), status=422)
    own = {part: text for part, text in words.items() if text}
    others = {name: held for name, held in shop().mail_words.items() if name != kind}
    value = {**others, kind: own} if own else others
    try:
        changed = change_settings(actor=actor_of_page(request), seen=seen, mail_words=value)
    except Refused:
        newer = [event for event in settings_log(["mail_words"], limit=20) if event.pk > seen]
        return page.draw(request, words, mark, stale=newer, status=409)
    except (Invalid, ValueError) as error:
        return page.draw(request, words, mark, errors={"opening": str(error)}, status=422)
    return kept(bool(changed))


@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    """The mail of a made-up order, with the words that stand in the form or, without a form, those that are kept."""
    if kind not in KINDS:
        raise Http404("there is no such mail")
    words = _words(request) if request.method == "POST" else shop().mail_words.get(kind, {})
    asked = request.POST.get("as") or request.GET.get("as", "")
    wrong = check_words(kind, words)
    context = headed(dressed(kind, sample(kind, shop(), settings.BASE_URL), {} if wrong else words))
    if wrong:
        text = "\n".join(f"{part}: {why}" for part, why in wrong)
        answer = HttpResponse(mask_cards(text), content_type="text/plain; charset=utf-8")
    elif asked == "text":
        body = with_words(render_to_string(f"mail/{kind}.txt", context), context)
        answer = HttpResponse(f"Subject: {context['subject']}\n\n{body}", content_type="text/plain; charset=utf-8")
    else:
        answer = HttpResponse(render_to_string(f"mail/{kind}.html", context))
    answer["Content-Security-Policy"] = _MAIL
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _words(request: HttpRequest) -> dict[str, str]:
    """What was typed; card numbers masked, and what cannot be stored left out."""
    found = {}
    for part in PARTS:
        text = request.POST.get(part, "").replace("\r\n", "\n")
        try:
            found[part] = clean(text)
        except ValueError:
            found[part] = clean("".join(c for c in text if c.isprintable() or c == "\n"))
    return found


@dataclass(frozen=True)
class _Page:
    """Where a mail's words are asked for."""

    kind: str
    template: str
    more: dict[str, Any]

    def draw(
        self,
        request: HttpRequest,
        words: dict[str, str],
        mark: int,
        *,
        errors: dict[str, str] | None = None,
        stale: Any = (),
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "kind": self.kind,
            "name": MAILS[self.kind],
            "usual": sample(self.kind, shop(), settings.BASE_URL)["subject"],
            "form": words,
            "errors": errors or {},
            "mark": mark,
            "stale": told(list(stale)),
            "placeholders": placeholders(self.kind),
            **self.more,
        }
        answer = desk_page(request, self.template, context, status=status)
        answer["Content-Security-Policy"] = f"{CSP.format(extra='')}; frame-src 'self'"
        return answer
