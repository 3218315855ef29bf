"""The desk's addresses, and the customer's page of an order."""

from django.urls import path

from counterfoil.desk import bank, books, customer, disputes, login, pages, payouts, purchasing, shelves, shop_settings

urlpatterns = [
    path("desk/login", login.log_in, name="desk-login"),
    path("desk/logout", login.log_out, name="desk-logout"),
    path("desk/", pages.home, name="desk"),
    path("desk/search", pages.search, name="desk-search"),
    path("desk/queues/<slug:code>", pages.queue, name="desk-queue"),
    path("desk/queues/<slug:code>/acts", pages.bulk, name="desk-bulk"),
    path("desk/purchase-orders", purchasing.index, name="desk-purchasing"),
    path("desk/purchase-orders/<str:number>", purchasing.one, name="desk-purchase-order"),
    path("desk/purchase-orders/<str:number>/confirmation", purchasing.confirm, name="desk-purchase-confirm"),
    path("desk/purchase-orders/<str:number>/receipts", purchasing.receive, name="desk-purchase-receive"),
    path("desk/purchase-orders/<str:number>/paper.pdf", purchasing.paper, name="desk-purchase-paper"),
    path("desk/bank", bank.index, name="desk-bank"),
    path("desk/bank/compare", bank.compare, name="desk-bank-compare"),
    path("desk/bank/<int:difference>", bank.act, name="desk-bank-act"),
    path("desk/settings", shop_settings.settings_page, name="desk-settings"),
    path("desk/disputes", disputes.index, name="desk-disputes"),
    path("desk/disputes/<int:dispute>/evidence.pdf", disputes.evidence, name="desk-evidence"),
    path("desk/payouts", payouts.index, name="desk-payouts"),
    path("desk/payouts/<str:payout>", payouts.one, name="desk-payout"),
    path("desk/books", books.index, name="desk-books"),
    path("desk/books/export", books.download, name="desk-books-export"),
    path("desk/stock", shelves.index, name="desk-stock"),
    path("desk/stock/<path:sku>", shelves.one, name="desk-product"),
    path("desk/orders/<str:number>", pages.order_page, name="desk-order"),
    path("desk/orders/<str:number>/acts/<slug:verb>", pages.act, name="desk-act"),
    path("desk/orders/<str:number>/documents/<str:ref>.pdf", pages.document, name="desk-document"),
    path("desk/orders/<str:number>/documents/<str:ref>/print", pages.print_document, name="desk-print"),
    path("orders/<str:token>", customer.order_page, name="customer-order"),
    path("orders/<str:token>/answer", customer.answer, name="customer-answer"),
    path("orders/<str:token>/documents/<str:number>.pdf", customer.document, name="customer-document"),
]
