"""Amounts are integers in minor units of a currency that Stripe knows."""

from __future__ import annotations

from sandbox.errors import refused_parameter

_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"
_TWO = (
    "usd aed all amd ang aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk "
    "dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt "
    "lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr "
    "pln qar ron rsd sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd yer "
    "zar zmw"
)
ZERO_DECIMALS = frozenset(_ZERO.split())
THREE_DECIMALS = frozenset(_THREE.split())
CURRENCIES = ZERO_DECIMALS | THREE_DECIMALS | frozenset(_TWO.split())
_SMALLEST = {"usd": 50, "eur": 50, "gbp": 30, "aud": 50, "cad": 50, "chf": 50, "nzd": 50, "jpy": 50, "sek": 300}
LARGEST = 99_999_999  # eight digits
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def currency_of(code: str, param: str = "currency") -> str:
    """The lower-case currency code, or 400."""
    if code.lower() not in CURRENCIES:
        raise refused_parameter(f"Invalid currency: {code}", param)
    return code.lower()


def chargeable(amount: int, currency: str, param: str = "amount") -> int:
    """`amount` minor units if a charge of it is allowed, or 400."""
    if amount < 1:
        raise refused_parameter("Invalid positive integer", param, "parameter_invalid_integer")
    if amount < _SMALLEST.get(currency, 1):
        raise refused_parameter(
            f"Amount must be at least {shown(_SMALLEST[currency], currency)}", param, "amount_too_small"
        )
    if amount > LARGEST:
        raise refused_parameter(f"Amount must be no more than {shown(LARGEST, currency)}", param, "amount_too_large")
    if currency in THREE_DECIMALS and amount % 10:
        raise refused_parameter("Amounts in this currency end in 0", param, "invalid_charge_amount")
    return amount


def shown(amount: int, currency: str) -> str:
    """For people: `$12.34`, `¥1,840`, `12.340 KWD`."""
    places = 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    whole, rest = divmod(amount, 10**places)
    number = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    return f"{_SIGNS[currency]}{number}" if currency in _SIGNS else f"{number} {currency.upper()}"
