"""Our accounts as other programs know them: a number, a name, and the kind of account that it is there."""

from __future__ import annotations

from dataclasses import dataclass

ASSET, LIABILITY, INCOME, EXPENSE = "Assets", "Liabilities", "Income", "Expenses"


@dataclass(frozen=True)
class Account:
    """`code` for programs that ask for numbers; `path` for plain-text accounting, below `kind`."""

    code: str
    name: str
    kind: str
    path: str

    @property
    def full(self) -> str:
        return f"{self.kind}:{self.path}"


CHART: dict[str, Account] = {
    "bank": Account("1000", "Bank, card payouts", ASSET, "Bank"),
    "card_clearing": Account("1100", "Card clearing", ASSET, "CardClearing"),
    "other_clearing": Account("1110", "Cash and cheques to be banked", ASSET, "OtherClearing"),
    "disputes": Account("1120", "Card payments in dispute", ASSET, "Disputes"),
    "receivable": Account("1200", "Orders to be paid on delivery", ASSET, "Receivable"),
    "inventory": Account("1300", "Goods in stock", ASSET, "Inventory"),
    "customer_deposits": Account("2100", "Customer deposits", LIABILITY, "CustomerDeposits"),
    "refunds_payable": Account("2110", "Refunds payable", LIABILITY, "RefundsPayable"),
    "tax_payable": Account("2200", "Sales tax payable, orders", LIABILITY, "TaxPayable"),
    "goods_received": Account("2300", "Goods received, not invoiced", LIABILITY, "GoodsReceived"),
    "revenue": Account("4000", "Sales of goods", INCOME, "Revenue"),
    "shipping_income": Account("4100", "Shipping income", INCOME, "Shipping"),
    "rounding": Account("4200", "Rounding and discounts", INCOME, "Rounding"),
    "returns": Account("4300", "Returns and allowances", INCOME, "Returns"),
    "cost_of_goods": Account("5000", "Cost of goods sold, orders", EXPENSE, "CostOfGoods"),
    "stock_losses": Account("5100", "Stock losses and differences", EXPENSE, "StockLosses"),
    "card_fees": Account("5200", "Card fees", EXPENSE, "CardFees"),
    "dispute_losses": Account("5300", "Losses from disputes", EXPENSE, "DisputeLosses"),
}
