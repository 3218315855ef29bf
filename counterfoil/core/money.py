"""Money is an integer of minor units and an ISO 4217 code with its own number of decimals. No float ever."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

# ISO 4217: the decimals of each currency the processor settles; what is not listed here is unknown to us. So are ISK
# and UGX: they have no decimals, but the processor counts them in hundredths, and would take a hundredth of the price.
_ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"
)
DECIMALS: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
}
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "KRW": "₩", "INR": "₹", "VND": "₫"}
# Below 2^53 so that every JSON reader keeps it exact; far above any order.
MAX_AMOUNT = 9_007_199_254_740_991
PPM = 1_000_000


def decimals(currency: str) -> int:
    """The currency's number of decimals. Raises ValueError for a code we do not know."""
    try:
        return DECIMALS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not a currency we know; use an ISO 4217 code such as USD") from None


def step(currency: str) -> int:
    """What cards are charged and refunded in, minor units: in currencies with three decimals the last digit is a 0."""
    return 10 if decimals(currency) == 3 else 1


def to_step(amount: int, size: int) -> int:
    """The multiple of `size` nearest to the amount, half away from zero."""
    found = (abs(amount) + size // 2) // size * size
    return -found if amount < 0 else found


def parse_amount(text: str, currency: str) -> int:
    """'18.47' USD -> 1847. Raises ValueError for NaN, too many decimals, or a number out of range."""
    places = decimals(currency)
    try:
        value = Decimal(text.strip())
        if not value.is_finite():
            raise ValueError(f"{text!r} is not an amount")
        if abs(value) > MAX_AMOUNT:
            raise ValueError(f"{text!r} is out of range")
        scaled = value.scaleb(places)
    except ArithmeticError:  # an exponent beyond all bounds as well
        raise ValueError(f"{text!r} is not an amount") from None
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{text!r} has more decimals than {currency} has ({places})")
    if abs(scaled) > MAX_AMOUNT:
        raise ValueError(f"{text!r} is out of range")
    return int(scaled)


def plain(amount: int, currency: str) -> str:
    """1847 USD -> '18.47', for files and machines."""
    return f"{Decimal(amount).scaleb(-decimals(currency)):.{decimals(currency)}f}"


def show(amount: int, currency: str) -> str:
    """1847 USD -> '$18.47', for people; the code is written where a sign would be ambiguous."""
    places = decimals(currency)
    text = f"{abs(Decimal(amount)).scaleb(-places):,.{places}f}"
    sign = _SIGNS.get(currency)
    minus = "-" if amount < 0 else ""
    return f"{minus}{sign}{text}" if sign else f"{minus}{currency} {text}"


def tax_on(amount: int, rate_ppm: int) -> int:
    """Tax on an amount at a rate in millionths, rounded half up (away from zero for a credit)."""
    exact = Decimal(amount) * rate_ppm / PPM
    return int(exact.to_integral_value(ROUND_HALF_UP))


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide `amount` in proportion to `weights` by largest remainder: the parts add up to the amount, always."""
    if not weights:
        return []
    whole = sum(weights)
    if whole <= 0:
        weights = [1] * len(weights)
        whole = len(weights)
    sign = -1 if amount < 0 else 1
    size = abs(amount)
    shares = [size * w // whole for w in weights]
    rest = size - sum(shares)
    order = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % whole), i))
    for i in order[:rest]:
        shares[i] += 1
    return [sign * s for s in shares]
