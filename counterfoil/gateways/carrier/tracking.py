"""Where a parcel can be followed. A table, not a network: addresses as known in November 2026; carriers change them."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import quote

from counterfoil.gateways.carrier import check_digits
from counterfoil.gateways.carrier.protocol import Carrier


def _s10(*countries: str) -> partial[bool]:
    return partial(_any_s10, countries)


def _any_s10(countries: tuple[str, ...], number: str) -> bool:
    return any(check_digits.s10(number, country) for country in countries)


CARRIERS: tuple[Carrier, ...] = (
    Carrier(
        "UPS",
        "https://www.ups.com/track?tracknum={number}",
        ("unitedparcelservice",),
        check_digits.ups,
    ),
    Carrier(
        "FedEx",
        "https://www.fedex.com/fedextrack/?trknbr={number}",
        ("federalexpress",),
        check_digits.fedex,
    ),
    Carrier(
        "USPS",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
        ("usmail", "uspostalservice", "unitedstatespostalservice"),
        check_digits.usps,
    ),
    Carrier(
        "DHL",
        "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
        ("dhlexpress", "dhlecommerce"),
        check_digits.dhl_express,
    ),
    Carrier(
        "Deutsche Post",
        "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={number}",
        ("dhlpaket",),
        _s10("DE"),
    ),
    Carrier("GLS", "https://gls-group.com/track/{number}", ("generallogisticssystems",)),
    Carrier("DPD", "https://tracking.dpd.de/status/en_US/parcel/{number}", ("dpdgroup",)),
    Carrier("Hermes", "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation#{number}"),
    Carrier("Evri", "https://www.evri.com/track/parcel/{number}", ("myhermes", "hermesuk")),
    Carrier(
        "Royal Mail",
        "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
        (),
        _s10("GB"),
    ),
    Carrier("Parcelforce", "https://www.parcelforce.com/track-trace?trackNumber={number}", ("parcelforceworldwide",)),
    Carrier(
        "Canada Post",
        "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
        ("postescanada",),
        check_digits.canada_post,
    ),
    Carrier("Purolator", "https://www.purolator.com/en/shipping/tracker?pin={number}"),
    Carrier(
        "Australia Post",
        "https://auspost.com.au/mypost/track/details/{number}",
        ("auspost",),
        _s10("AU"),
    ),
    Carrier(
        "Japan Post",
        "https://trackings.post.japanpost.jp/services/srv/search/direct?locale=en&reqCodeNo1={number}",
        (),
        check_digits.japan,
    ),
    Carrier(
        "PostNord",
        "https://www.postnord.com/track-and-trace?shipmentId={number}",
        (),
        _s10("SE", "DK"),
    ),
    Carrier("PostNL", "https://www.internationalparceltracking.com/#/search?barcode={number}", (), _s10("NL")),
    Carrier("La Poste", "https://www.laposte.fr/outils/suivre-vos-envois?code={number}", ("colissimo",), _s10("FR")),
    Carrier("Swiss Post", "https://service.post.ch/ekp-web/ui/entry/search/{number}", ("diepost",), _s10("CH")),
    Carrier("OnTrac", "https://www.ontrac.com/tracking/?number={number}"),
)


def _key(name: str) -> str:
    """A carrier's name as it is compared: 'Royal  Mail' and 'royal-mail' are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


_BY_NAME = {key: carrier for carrier in CARRIERS for key in (_key(carrier.name), *carrier.aliases)}


def find_carrier(name: str) -> Carrier | None:
    """The carrier of that name, whatever its case, spaces or punctuation; None when we do not know it."""
    return _BY_NAME.get(_key(name))


def tracking_url(carrier: str, number: str) -> str:
    """The carrier's public page for a parcel; empty for a carrier that we do not know (the number is still told)."""
    known = find_carrier(carrier)
    if known is None or not number.strip():
        return ""
    return known.page.format(number=quote(number.strip(), safe=""))


def vouches(carrier: str, number: str) -> bool:
    """Whether the carrier of that name has a check digit that we know, and the number bears it."""
    known = find_carrier(carrier)
    return known is not None and known.owns is not None and known.owns(_bare(number))


def recognise(number: str) -> list[str]:
    """The carriers whose form and check digit the number has, in the table's order; several may claim the same one."""
    bare = _bare(number)
    return [c.name for c in CARRIERS if c.owns is not None and c.owns(bare)]


def _bare(number: str) -> str:
    return re.sub(r"[\s-]", "", number).upper()
