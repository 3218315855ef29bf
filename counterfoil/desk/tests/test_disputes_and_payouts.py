"""The desk's pages of disputes and payouts, and the doors behind them."""

from __future__ import annotations

import pytest

from counterfoil.core import clock
from counterfoil.core.papers.tests.reading import text
from counterfoil.core.shop import shop
from counterfoil.desk.rail import rail
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Order
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.models import Difference, Dispute, Payout
from counterfoil.steps.charging.tests.bank import TOTAL, charged, compared, days_pass, disputed, only, ship
from counterfoil.steps.charging.tests.build import unfinished
from tests.support import Api, settle

pytestmark = pytest.mark.django_db


def in_dispute(api: Api, bank: str, *, inquiry: bool = False) -> str:
    number = charged(api)
    ship(api, number)
    disputed(bank, number, inquiry=inquiry)
    reconcile()
    return number


def test_the_list_says_why_how_much_until_when_and_who_looks_after_it(own_bank: str) -> None:
    number = in_dispute(Api(), own_bank)
    desk = at_the_desk("bookkeeper")
    page = desk.get("/desk/disputes").content.decode()
    for words in (number, "They say that the goods never arrived", "$65.00", "wants our answer", "nobody"):
        assert words in page
    queue = desk.get("/desk/queues/bank_differs").content.decode()
    assert number in queue
    assert "disputed, answer by" in queue
    # The page of differences has it too, and counts as the rail does.
    found = desk.get("/desk/bank").content.decode()
    assert "1 to look at: 1 dispute to answer" in found
    assert f'href="/desk/orders/{number}#dispute">Answer</a>' in found
    assert "Nothing differs" not in found
    now, open_check_out = clock.business_now(), unfinished(("PINOT-21", 1)).number
    for n, of in enumerate((number, number, "", open_check_out, open_check_out)):
        Difference.objects.create(
            kind="captured_unknown", object_id=f"pi_{n}", order_number=of, ours="nothing", theirs="taken", amount=100,
            currency="USD", found_at=now, seen_at=now,
        )  # fmt: skip
    assert "3 to look at: 5 differences, 1 dispute to answer" in desk.get("/desk/bank").content.decode()
    assert rail(shop().today()).counts["bank_differs"] == 3
    Difference.objects.all().delete()
    act = f"/desk/orders/{number}/acts/own-dispute"
    assert desk.post(act, {"dispute": only().pk, "next": "/desk/disputes"}).status_code == 303
    page = desk.get("/desk/disputes").content.decode()
    assert only().owner in page
    Dispute.objects.update(state="won")
    assert "0 to look at · every charge" in (page := desk.get("/desk/bank").content.decode())
    assert "Nothing differs" in page


def test_the_evidence_is_sent_from_the_orders_page_with_one_click(own_bank: str) -> None:
    number = in_dispute(Api(), own_bank)
    desk = at_the_desk("clerk")
    page = desk.get(f"/desk/orders/{number}").content.decode()
    assert "Send the evidence to the bank" in page
    assert "Taken back by the customer" in page
    assert "Refund…" not in page
    act = f"/desk/orders/{number}/acts/answer-bank"
    assert desk.post(act, {"dispute": only().pk, "text": "x" * 15_001}).status_code == 422
    assert desk.post(act, {"dispute": only().pk, "text": "They signed for it."}).status_code == 303
    assert (only().state, only().answer_text) == ("answered", "They signed for it.")
    assert desk.post(act, {"dispute": only().pk, "text": "again"}).status_code == 409
    page = desk.get(f"/desk/orders/{number}").content.decode()
    assert "Send the evidence to the bank" not in page
    assert "deciding" in page
    assert "deciding" in desk.get("/desk/disputes").content.decode()
    pack = desk.get(f"/desk/disputes/{only().pk}/evidence.pdf")
    assert "They signed for it." in text(pack.content)
    assert judge_all() == []


def test_accepting_the_loss_is_one_click_and_shows_as_decided(own_bank: str) -> None:
    number = in_dispute(Api(), own_bank)
    desk = at_the_desk("owner")
    assert desk.post(f"/desk/orders/{number}/acts/accept-loss", {"dispute": only().pk}).status_code == 303
    page = desk.get("/desk/disputes").content.decode()
    assert "decided for the customer" in page
    assert "Nobody disputes anything" in page


def test_a_dispute_is_answered_under_its_own_order_only(own_bank: str) -> None:
    api = Api()
    in_dispute(api, own_bank)
    other = charged(api)
    desk = at_the_desk("clerk")
    for verb in ("answer-bank", "accept-loss", "own-dispute"):
        assert desk.post(f"/desk/orders/{other}/acts/{verb}", {"dispute": only().pk}).status_code == 404
        assert desk.post(f"/desk/orders/{other}/acts/{verb}", {"dispute": "9" * 40}).status_code in {404, 422}
    assert only().answer == ""


@pytest.mark.parametrize("role", ["picker", "buyer"])
def test_who_does_not_answer_for_money_sees_the_list_and_no_more(own_bank: str, role: str) -> None:
    number = in_dispute(Api(), own_bank)
    desk = at_the_desk(role)
    assert number in desk.get("/desk/disputes").content.decode()
    page = desk.get(f"/desk/orders/{number}").content.decode()
    assert "Send the evidence" not in page
    assert "evidence.pdf" not in page
    assert desk.get(f"/desk/disputes/{only().pk}/evidence.pdf").status_code == 403
    for verb in ("answer-bank", "accept-loss", "own-dispute"):
        assert desk.post(f"/desk/orders/{number}/acts/{verb}", {"dispute": only().pk}).status_code == 403
    assert only().answer == ""
    paper = Api().done(f"/disputes/{only().pk}/evidence", {"text": "They signed."})["document"]
    assert desk.get(f"/desk/orders/{number}/documents/{paper}.pdf").status_code == 403
    assert desk.post(f"/desk/orders/{number}/documents/{paper}/print").status_code == 403
    assert Api(role).get(f"/documents/{paper}.pdf").status == 403
    assert Api("bookkeeper").get(f"/documents/{paper}.pdf").status == 200
    assert paper not in str(Api(role).get(f"/orders/{number}/documents").body)
    assert paper not in str(Api(role).order(number)["documents"])


def test_an_order_that_waits_for_the_bank_says_so_and_a_lost_one_is_to_be_cancelled(own_bank: str) -> None:
    api = Api()
    number = charged(api)
    disputed(own_bank, number)
    reconcile()
    desk = at_the_desk("clerk")
    desk.post(f"/desk/orders/{number}/acts/answer-bank", {"dispute": only().pk, "text": "losing_evidence"})
    page = desk.get(f"/desk/orders/{number}").content.decode()
    assert "nothing ships until the money is ours again" in page
    reconcile()
    assert Order.objects.get(number=number).next_action == "cancel"
    assert "Cancel the order" in desk.get(f"/desk/orders/{number}").content.decode()


def test_payouts_stand_by_date_with_gross_fees_and_net_of_every_transaction(own_bank: str) -> None:
    api = Api()
    desk = at_the_desk("bookkeeper")
    assert "Nothing has been paid out yet" in desk.get("/desk/payouts").content.decode()
    number = charged(api)
    page = desk.get("/desk/payouts").content.decode()
    assert "agrees but for what has not been compared yet" in page
    assert f"{number}</a>: $65.00 charged; the processor" in page
    compared()
    page = desk.get("/desk/payouts").content.decode()
    assert "Clearing agrees to the cent" in page
    assert "Not paid out yet" in page
    assert "fee $2.19" in desk.get(f"/desk/orders/{number}").content.decode()
    days_pass(2)
    compared()
    page = desk.get("/desk/payouts").content.decode()
    for words in ("$65.00", "$2.19", "$62.81", "1 transaction", "Clearing agrees to the cent"):
        assert words in page
    one = desk.get(f"/desk/payouts/{Payout.objects.get().payout_id}").content.decode()
    for words in (number, "$65.00", "$2.19", "$62.81"):
        assert words in one
    assert desk.get("/desk/payouts/po_nobody").status_code == 404
    assert desk.get("/desk/payouts?before=x").status_code == 200


def test_older_payouts_are_a_page_further(own_bank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from counterfoil.desk import payouts

    monkeypatch.setattr(payouts, "PAGE", 1)
    api = Api()
    for _ in range(2):
        charged(api)
        days_pass(1)
    days_pass(2)
    compared()
    newest, oldest = Payout.objects.order_by("-arrives_on")
    desk = at_the_desk("owner")
    first = desk.get("/desk/payouts").content.decode()
    assert newest.payout_id in first
    assert oldest.payout_id not in first
    assert oldest.payout_id in desk.get(f"/desk/payouts?before={newest.pk}").content.decode()


# --- the API --------------------------------------------------------------------------------------------------------


def test_disputes_over_the_api(own_bank: str) -> None:
    api = Api("bookkeeper")
    owner = Api()
    number = in_dispute(owner, own_bank)
    (told,) = api.get("/disputes").body["disputes"]
    assert (told["order"], told["kind"], told["state"], told["amount"]) == (number, "chargeback", "open", TOTAL)
    assert (told["reason"], told["due_by"][-1]) == ("product_not_received", "Z")
    path = f"/disputes/{told['id']}"
    assert api.get(path).body == told
    assert api.get("/disputes?state=won").body == {"disputes": [], "next": None}
    assert api.get("/disputes?limit=0").status == 422
    assert api.get(f"{path}/evidence.pdf").body[:5] == b"%PDF-"
    assert api.post(f"{path}/evidence", {"text": "x" * 15_001}).fields == {"text"}
    assert api.post(f"{path}/evidence", {"texts": "x"}).status == 422
    assert api.post(f"{path}/evidence", {"text": "a\x00b"}).fields == {"text"}
    assert api.post(f"{path}/evidence", {"text": 7}).fields == {"text"}
    assert api.post(f"{path}/evidence", b"{").status == 400
    assert api.post(f"{path}/evidence", b"[]").status == 422
    assert api.done(f"{path}/evidence")["state"] == "answered"
    assert api.post(f"{path}/acceptance").codes == {"someone_else"}
    for nobody in ("/disputes/999", f"/disputes/{10**30}", "/disputes/0", "/disputes/-1"):
        assert api.get(nobody).status in {404, 422}
        assert api.post(f"{nobody}/acceptance").status in {404, 422}
    assert api.get("/disputes/x").status in {404, 422}


def test_disputes_are_paged_by_their_id(own_bank: str) -> None:
    api = Api()
    for n in range(3):
        number = charged(api)
        ship(api, number, f"1Z999AA1012345678{n}")
        disputed(own_bank, number)
    reconcile()
    settle()
    first = api.get("/disputes?limit=2").body
    rest = api.get(f"/disputes?limit=2&after={first['next']}").body
    assert [len(first["disputes"]), len(rest["disputes"]), rest["next"]] == [2, 1, None]
    assert Dispute.objects.count() == 3


@pytest.mark.parametrize("role", ["picker", "buyer", "channel"])
def test_the_doors_open_to_who_answers_for_money(own_bank: str, role: str) -> None:
    in_dispute(Api(), own_bank)
    stranger = Api(role)
    path = f"/disputes/{only().pk}"
    for answer in (
        stranger.get("/disputes"),
        stranger.get(path),
        stranger.get(f"{path}/evidence.pdf"),
        stranger.post(f"{path}/evidence", {}),
        stranger.post(f"{path}/acceptance"),
    ):
        assert answer.status == 403
    assert only().answer == ""
