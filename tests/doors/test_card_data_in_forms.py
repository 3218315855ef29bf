"""The same for the forms: every field of the desk's acts, of every page with a form, and of the check-out."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from conftest import Mailbox
from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.actor import Actor
from counterfoil.core.errors import Invalid, Missing, Refused, StillAsking
from counterfoil.core.models import Job
from counterfoil.core.papers.tests.reading import text as text_of_pdf
from counterfoil.desk.acts import ACTS
from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.flow.advance import store
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.customers import accounts
from counterfoil.records.customers.models import AccountAddress
from counterfoil.records.orders.models import Charge, Hold, Order, Refund
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.evidence import evidence_pdf
from counterfoil.steps.charging.models import Dispute
from counterfoil.steps.charging.tests.bank import charged, disputed
from counterfoil.steps.checkout import pages as shop_pages
from tests.doors.build import Desk, soon
from tests.doors.cards import cards_in, dressed, nowhere
from tests.doors.table import ADDRESS
from tests.support import settle

pytestmark = pytest.mark.django_db


# Fields that hold no text, with what stands in them unless a test says otherwise. Every other field is typed into.
CONTROLS = {
    "ship_estimate": "", "version": "", "part": "", "hold": "", "refund": "", "by_hand": "", "shipment": "",
    "everything": "", "token": "", "kind": "", "quantity": "", "price": "", "date": "", "line": "",
    "dispute": "", "choice": "0", "condition": "sellable", "amount": "1", "weight_g": "900",
}  # fmt: skip


class Typed(dict[str, str]):
    """A form in which every text field that anybody asks for holds a card number, but for those given."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__(given)
        self.asked: list[str] = []
        self._numbers = dressed()

    def get(self, name: str, default: Any = None) -> Any:
        kind = name.split(":", maxsplit=1)[0]
        if name in self or kind in CONTROLS:
            return super().get(name, CONTROLS.get(kind, default))
        self.asked.append(name)
        return next(self._numbers)


def _held(desk: Desk) -> tuple[str, dict[str, str]]:
    number = desk.placed()
    desk.api.done(f"/orders/{number}/holds", {"reason": "odd"})
    return number, {"hold": str(Hold.objects.get(order__number=number).pk)}


def _asked(desk: Desk) -> tuple[str, dict[str, str]]:
    number, token = desk.asked()
    return number, {"token": token}


def _cheque(desk: Desk) -> tuple[str, dict[str, str]]:
    number = desk.approved(payment={"method": "cheque"})
    return number, {"amount": f"{desk.api.order(number)['total'] / 100:.2f}"}


def _owing(desk: Desk) -> tuple[str, dict[str, str]]:
    number = desk.paid()
    desk.api.done(f"/orders/{number}/refunds", {"amount": 100, "reason": "broken"})
    refund = Refund.objects.get(part__order__number=number)
    Refund.objects.filter(pk=refund.pk).update(state="failed")
    return number, {"refund": str(refund.pk), "by_hand": "yes"}


def _disputed(desk: Desk) -> tuple[str, dict[str, str]]:
    number = desk.approved(payment={"method": "cheque"})
    body = {"reference": f"cheque of {number}", "amount": desk.api.order(number)["total"]}
    desk.api.done(f"/orders/{number}/charge", body)
    charge = Charge.objects.get(part__order__number=number)
    row = Dispute.objects.create(
        dispute_id=f"du_{number}", order=Order.objects.get(number=number), charge=charge, inquiry=True, state="open",
        reason="general", amount=charge.amount, currency=charge.currency, opened_at=clock.business_now(),
    )  # fmt: skip
    store(number)
    return number, {"dispute": str(row.pk)}


STANDS: dict[str, Any] = {
    "approve": lambda desk: (desk.placed(), {"ship_estimate": soon()}),
    "release": _held,
    "record-payment": _cheque,
    "refund": lambda desk: (desk.paid(), {}),
    "refund-again": _owing,
    "pick": lambda desk: (desk.approved(), {}),
    "pack": lambda desk: (desk.picked(), {}),
    "ship": lambda desk: (desk.packed(), {}),
    "deliver": lambda desk: (desk.shipped(), {}),
    "return": lambda desk: (desk.shipped(), {"quantity:PINOT-21": "1"}),
    "propose": lambda desk: (desk.placed("SYRAH-19", 1), {"kind:0": "cancel"}),
    "answer": _asked,
    "call": lambda desk: (desk.late(), {"outcome": "no_answer", "call_back_at": ""}),
    "take-offer": lambda desk: (desk.late(), {"kind:0": "later_date", "date:0": soon(1)}),
    "remember": lambda desk: (desk.placed(), {"prefers": "phone", "note_was": ""}),
    "needed-by": lambda desk: (desk.placed(), {}),
    "withdraw": _asked,
    "answer-bank": _disputed,
    "accept-loss": _disputed,
    "own-dispute": _disputed,
}
OLGA = Actor("person", "Olga", "owner")


def said_to(verb: str, number: str, form: Typed) -> str:
    """What the clerk reads after sending a form, be it done or refused."""
    try:
        return ACTS[verb](number, form, OLGA)
    except (Invalid, Refused, Missing, StillAsking) as error:
        return str(error)


@pytest.mark.parametrize("verb", ACTS)
def test_a_card_number_in_any_field_of_a_desk_form_is_masked_or_refused(
    open_shop: Desk, verb: str, log: io.StringIO, mailbox: Mailbox
) -> None:
    stands = STANDS.get(verb, lambda desk: (desk.placed(), {}))
    number, given = stands(open_shop)
    everything = Typed(given)
    assert cards_in(said_to(verb, number, everything)) == []
    # And each by itself, so that one that is refused hides no other; what else the act asks for is given.
    for name in dict.fromkeys(everything.asked):
        number, given = stands(open_shop)
        others = dict.fromkeys(everything.asked, "UPS") | given
        others.pop(name)
        assert cards_in(said_to(verb, number, Typed(others))) == []
    settle()
    nowhere(log, mailbox)


class Forms(HTMLParser):
    """The forms of a page that post: address, every field with its value, and which of them are typed into."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], list[str]]] = []
        self._open = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", tag)
        if tag == "form":
            self._open = given.get("method", "get").lower() == "post"
            if self._open:
                self.found.append((given.get("action", ""), {}, []))
        elif self._open and name and tag in {"input", "textarea", "select"} and kind not in {"checkbox", "radio"}:
            _, held, typed = self.found[-1]
            held[name] = given.get("value", "")
            if kind != "hidden":
                typed.append(name)

    def handle_endtag(self, tag: str) -> None:
        self._open &= tag != "form"


def owner() -> Client:
    """A browser in which the owner has logged in."""
    browser = Client()
    browser.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    return browser


def visitor() -> Client:
    """A browser with something in the cart."""
    browser = Client()
    browser.post("/cart/add", {"sku": "PINOT-21", "quantity": "1"})
    return browser


# Addresses that the forms of an account's page post to, or that have no field.
OF_ACCOUNTS = re.compile(r"account/(logout|details|password|claim.*|addresses/.+/drop)")


def customer() -> tuple[Client, list[str]]:
    """A browser in which a customer has logged in, and the pages of an account that have a field."""
    known = {"email": "june@example.com", "password": "three odd words"}
    account = accounts.set_password(token=link_for(known["email"]), name="June Harper", password=known["password"])
    accounts.keep_address(account=account, address=ADDRESS)
    browser = Client()
    browser.post("/account/login", known)
    pages = ["/account/", "/account/addresses/new", f"/account/addresses/{AccountAddress.objects.get().pk}"]
    return browser, pages


def link_for(email: str) -> str:
    """The token of the link that a new account's mail holds."""
    accounts.mail_password_link(email=email)
    sent = Job.objects.filter(name="mail.send", payload__kind="account_new").latest("id")
    return str(sent.payload["context"]["url"]).rsplit("/", 1)[1]


def every_page(desk: Desk, bank: str) -> list[tuple[Client, str]]:
    """Each kind of page that has a form, with an order at every stop of the way, and one in dispute."""
    in_dispute = charged(desk.api)
    disputed(bank, in_dispute)
    reconcile()
    stops = [in_dispute, desk.placed(), desk.approved(), desk.picked(), desk.packed(), desk.shipped(), desk.paid()]
    stops += [desk.asked()[0], desk.late(), _held(desk)[0], _cheque(desk)[0], _owing(desk)[0]]
    at_the_desk = owner()
    pages = [f"/desk/{page}" for page in ("", "search", "bank", "books", "disputes", "payouts", "stock")]
    pages += [f"/desk/settings/{section}" for section in (*SECTIONS, "staff", "keys", "mails/promised")]
    pages += ["/desk/me", "/desk/setup", "/desk/setup/shop", "/desk/setup/products"]
    pages += ["/desk/orders/new", "/desk/products/new"]
    pages += [f"/desk/queues/{code}" for code in ("review", "charge", "pick")] + [f"/desk/orders/{n}" for n in stops]
    pages += ["/desk/purchase-orders", f"/desk/purchase-orders/{desk.purchase()}", "/desk/stock/PINOT-21"]
    pages += [
        f"/desk/purchase-orders/{desk.draft()}",
        "/desk/suppliers",
        "/desk/counts",
        f"/desk/counts/{desk.count_sheet()}",
        f"/desk/suppliers/{Supplier.objects.get(name='Northfold').pk}",
    ]
    pages += ["/desk/ship", f"/desk/ship?order={desk.packed()}", "/desk/floor", "/desk/floor/pack"]
    pages += [f"/desk/floor/pick?order={desk.approved()}", f"/desk/floor/pack?order={desk.picked()}"]
    pages += [f"/desk/orders/{desk.approved()}/{page}" for page in ("proposals/new", "amend")]
    pages += [f"/desk/orders/{desk.amended()}/amendments/1/undo", f"/desk/orders/{desk.divided()}/parts/2/merge"]
    found = [(at_the_desk, page) for page in pages]
    found += [(visitor(), page) for page in ("/", "/checkout", "/cart", "/products/PINOT-21", "/desk/login")]
    found += [(visitor(), f"/account/{page}") for page in ("login", "new", "reset")]
    found += [(Client(), f"/account/link/{link_for('new@example.com')}")]
    browser, pages = customer()
    found += [(browser, page) for page in pages]
    return found + [(Client(), f"/orders/{Order.objects.get(number=n).token}") for n in stops]


# Pages without a field to type into, and addresses that a form of another page posts to.
NO_FIELDS = re.compile(
    r"desk/(ship/file.*|print|tell|floor/(acts|away)|close.*)|"
    r"desk/(logout|palette|pulse(/rows)?|toasts|runs/.+|deeds/.+|filters/.+|queues/.+/filters|queues/review/print"
    r"|orders/.+/(print|packet|placed)|bank/.+|payouts/.+"
    r"|books/export|queues/.+/acts|orders/.+/(acts|documents)/.+|.+\.pdf"
    r"|purchase-orders/.+/(confirmation|receipts|draft)|reordering/.+|counts/missed/.+|promises|stock\.csv|settings"
    r"|settings/log|settings/mails|settings/mails/.+/preview|settings/(staff|keys)/.+|welcome/.+|setup/products\.csv"
    r"|setup/.+/leave|health)"
    r"|orders/.+/.+|how-it-works(/.+)?|cart/.+|products/.+/label\.svg"
)


def test_every_page_with_a_field_is_among_those_that_are_tried(own_bank: str) -> None:
    tried = {resolve(page.partition("?")[0]).route for _, page in every_page(Desk(), own_bank)}
    rooms = ("counterfoil.desk.urls", "counterfoil.steps.checkout.urls", "counterfoil.steps.charging.pages")
    routes = {str(found.pattern) for room in rooms for found in import_module(room).urlpatterns}
    left = {route for route in routes - tried if not OF_ACCOUNTS.fullmatch(route)}
    assert {route for route in left if not NO_FIELDS.fullmatch(route)} == set()


def test_a_card_number_in_any_form_of_any_page_is_masked_or_refused(
    own_bank: str, log: io.StringIO, mailbox: Mailbox
) -> None:
    numbers = dressed()
    seen: set[tuple[str, str]] = set()
    for browser, page in every_page(Desk(), own_bank):
        found = browser.get(page, follow=True)
        assert found.status_code == 200, page
        for action, held, typed in Forms(found.content).found:
            others = {name: value or "1" for name, value in held.items()}
            for name in typed:
                kind = re.sub(r"(CF|PO)-\d+|(?<=/orders/)[\w-]{20,}", "*", action or page)
                if (kind, name) in seen:
                    continue
                seen.add((kind, name))
                answer = browser.post(action or page, {**others, name: next(numbers)})
                assert answer.status_code < 500, (page, name)
                assert cards_in(answer.content.decode(errors="replace")) == [], (page, action, name)
    expected = "reason comment email carrier tracking_number message lot sku reference password text note"
    expected += " retry_limits.0.source zones.0.country terms tax_number"
    assert set(expected.split()) <= {name for _, name in seen}
    assert cards_in(text_of_pdf(evidence_pdf(Dispute.objects.get())[1])) == []
    settle()
    nowhere(log, mailbox)


CHECKOUT = {
    "name": "Zoë Brontë", "email": "zoe@example.com", "phone": "+1 707 555 0123",
    "shipping_address.street": "12 Vine Street", "shipping_address.city": "Napa",
    "shipping_address.state": "California", "shipping_address.postcode": "94558", "shipping_address.country": "US",
    "shipping_address.name": "Ann", "gift_message": "cheers", "comment": "ring twice", "shipping_method": "Ground",
    "payment_method": "card", "consent": "yes", "age_declared": "yes", "attempt": "attempt-0001",
    "other_billing": "yes", "billing_address.name": "Zoë Brontë", "billing_address.street": "12 Vine Street",
    "billing_address.city": "Napa", "billing_address.state": "California", "billing_address.postcode": "94558",
    "billing_address.country": "US",
}  # fmt: skip
TAKEN = {
    "name", "shipping_address.street", "shipping_address.city", "shipping_address.name", "gift_message", "comment",
    "billing_address.name", "billing_address.street", "billing_address.city",
}  # fmt: skip


def test_a_card_number_in_any_field_of_the_check_out_is_masked_or_refused(
    open_shop: Desk, log: io.StringIO, mailbox: Mailbox
) -> None:
    numbers, taken = dressed(), set()
    shown = Forms(visitor().get("/checkout").content).found
    named = {name for _, held, _ in shown for name in held} - {"csrfmiddlewaretoken"}
    for at, name in enumerate(sorted({*CHECKOUT, *named})):
        shop_pages.PLACING.clear()
        form = {**CHECKOUT, "attempt": f"attempt-{at:04}", name: next(numbers)}
        answer = visitor().post("/checkout", form)
        assert answer.status_code in {303, 422}, (name, answer.status_code)
        assert cards_in(answer.content.decode()) == [], name
        taken |= {name} if answer.status_code == 303 else set()
    assert taken >= TAKEN
    assert not taken & {"email", "phone", "attempt"}
    settle()
    nowhere(log, mailbox)


BY_TELEPHONE = {**CHECKOUT, "quantity:PINOT-21": "2", "do": "place"}


def test_a_card_number_in_any_field_of_an_order_by_telephone_is_masked_or_refused(
    open_shop: Desk, log: io.StringIO, mailbox: Mailbox
) -> None:
    numbers, taken = dressed(), set()
    desk = owner()
    shown = Forms(desk.get("/desk/orders/new").content).found
    named = {name for _, held, _ in shown for name in held} - {"csrfmiddlewaretoken"}
    for at, name in enumerate(sorted({*BY_TELEPHONE, *named} - {"do"})):
        form = {**BY_TELEPHONE, "attempt": f"tel-{at:012x}", name: next(numbers)}
        answer = desk.post("/desk/orders/new", form, follow=True)
        assert answer.status_code in {200, 422}, (name, answer.status_code)
        assert cards_in(answer.content.decode()) == [], name
        taken |= {name} if answer.redirect_chain else set()
    assert taken >= {
        "name",
        "shipping_address.street",
        "billing_address.street",
        "gift_message",
        "comment",
        "who",
        "wine",
    }
    assert not taken & {"email", "phone", "attempt", "quantity:PINOT-21"}
    settle()
    nowhere(log, mailbox)
