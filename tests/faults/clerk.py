"""A busy desk, to be killed: places, approves, charges and sometimes cancels orders until somebody pulls the plug.

`python -m tests.faults.clerk NAME KEY`. Every answer is printed as it comes, so that what was told is known afterwards.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from typing import Any


def main(name: str, key: str) -> None:
    import django

    django.setup()
    from django.test import Client

    from counterfoil.core.shop import shop
    from tests.support import ADDRESS

    client = Client()

    def post(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        found = client.post(
            f"/api/v1{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        return found.status_code, json.loads(found.content)

    def tell(what: str, number: str) -> None:
        print(f"{what} {number}", flush=True)

    # The first request imports every door; the plug is to be pulled on somebody who works.
    assert client.get("/api/v1/orders", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    print("ready", flush=True)
    for n in count(1):
        status, order = post(
            "/orders",
            {
                "channel": "web",
                "reference": f"{name}-{n}",
                "currency": "USD",
                "customer": {"name": "Zoë Brontë", "email": f"zoe-{name}-{n}@example.com"},
                "shipping_address": ADDRESS,
                "lines": [{"sku": "PINOT-21", "quantity": 1 + n % 3}, {"sku": "SYRAH-19", "quantity": 1}],
                "shipping": {"method": "Ground", "price": 1500},
                "payment": {"method": "card", "payment_method": "pm_card_visa"},
            },
        )
        assert status == 201, order
        number = order["number"]
        tell("placed", number)
        status, order = post(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
        assert status == 200, order
        tell("approved", number)
        status, order = post(f"/orders/{number}/charge", {})
        if status == 200:
            tell("charged", number)
        if n % 4 == 0:
            status, order = post(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
            if status == 200:
                tell("cancelled", number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
