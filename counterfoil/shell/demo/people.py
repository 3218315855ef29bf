"""The people of the demo shop: who works there, who delivers to it, who buys. All invented, all at example.com."""

# ruff: noqa: E501 (a table reads best with one person to a line)
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["owner", "clerk", "picker", "buyer", "bookkeeper"]

DEMO_PASSWORD = "counterfoil-demo"  # noqa: S105 (public on purpose)
"""Password of every demo log-in. It is printed by the demo and protects nothing: never use it for a real shop."""


@dataclass(frozen=True)
class Supplier:
    """Who the shop buys from. `minimum_order` in US cents, `lead_days` in business days."""

    key: str
    name: str
    email: str
    lead_days: int
    minimum_order: int


@dataclass(frozen=True)
class Staff:
    """Somebody who works at the desk or on the floor."""

    name: str
    email: str
    role: Role


@dataclass(frozen=True)
class Customer:
    """Somebody who buys. `country` is ISO 3166-1 alpha-2; `state` is "" where addresses have none,
    otherwise the second part of the ISO 3166-2 code (US, CA, AU, ES) or the name as written there (JP).

    In Japanese addresses the municipality is part of `street`, and `city` repeats it for carriers that insist on one.
    """

    name: str
    email: str
    phone: str
    street: str
    city: str
    postcode: str
    state: str
    country: str


SUPPLIERS: tuple[Supplier, ...] = (
    Supplier("northfold", "Northfold Growers", "northfold@example.com", 4, 30000),
    Supplier("harbour", "Harbour Wine Merchants", "harbour@example.com", 3, 20000),
    Supplier("meridian", "Meridian Imports", "meridian@example.com", 8, 75000),
    Supplier("cellarway", "Cellarway Trading", "cellarway@example.com", 9, 50000),
)

STAFF: tuple[Staff, ...] = (
    Staff("Ines Okafor", "owner@example.com", "owner"),
    Staff("Mara Velde", "mara@example.com", "clerk"),
    Staff("Tobias Renn", "tobias@example.com", "clerk"),
    Staff("Pim Halloran", "picker@example.com", "picker"),
    Staff("Bea Castellan", "buyer@example.com", "buyer"),
    Staff("Nuria Beck", "books@example.com", "bookkeeper"),
)

# fmt: off
CUSTOMERS: tuple[Customer, ...] = (
    # The United States: several states, so that shipping rules and taxes differ.
    Customer("Zoë Brontë", "zoe@example.com", "+1 503 555 0101", "1420 NW Lovejoy St Apt 7", "Portland", "97209", "OR", "US"),
    Customer("José Núñez", "jose.nunez@example.com", "+1 415 555 0102", "88 Fair Oaks St", "San Francisco", "94110", "CA", "US"),
    Customer("Nguyễn Thị Hương", "huong@example.com", "+1 408 555 0103", "2105 Senter Rd", "San Jose", "95112", "CA", "US"),
    Customer("Grace Hopper-Lindqvist", "grace@example.com", "+1 212 555 0104", "310 W 86th St Apt 11B", "New York", "10024", "NY", "US"),
    Customer("Ольга Иванова", "olga@example.com", "+1 718 555 0105", "245 Brighton Beach Ave", "Brooklyn", "11235", "NY", "US"),
    Customer("Marcus Adeyemi", "marcus@example.com", "+1 312 555 0106", "1907 N Mohawk St", "Chicago", "60614", "IL", "US"),
    Customer("Priya Raghunathan", "priya@example.com", "+1 206 555 0107", "4312 Fremont Ave N", "Seattle", "98103", "WA", "US"),
    Customer("Leilani Kahananui", "leilani@example.com", "+1 808 555 0108", "57 Kalanianaole Ave", "Hilo", "96720", "HI", "US"),
    Customer("Sunny Delacroix 🌻", "sunny@example.com", "+1 504 555 0109", "623 Dauphine St", "New Orleans", "70112", "LA", "US"),
    Customer("William O’Shaughnessy-Featherstonehaugh de la Vega", "wosf@example.com", "+1 512 555 0110", "1801 South Congress Avenue, Building C, Third Floor", "Austin", "78704", "TX", "US"),
    Customer("Bo Li", "bo@example.com", "+1 617 555 0111", "9 Tyler St", "Boston", "02111", "MA", "US"),
    Customer("Dakota Whitehorse", "dakota@example.com", "+1 505 555 0112", "714 Canyon Rd", "Santa Fe", "87501", "NM", "US"),
    Customer("Ruth Abernathy", "ruth@example.com", "+1 802 555 0113", "31 Elm St", "Montpelier", "05602", "VT", "US"),
    Customer("D’Angelo Freeman Jr.", "dangelo@example.com", "+1 404 555 0114", "559 Edgewood Ave SE", "Atlanta", "30312", "GA", "US"),
    Customer("김서연", "seoyeon@example.com", "+1 213 555 0115", "3250 Wilshire Blvd Unit 904", "Los Angeles", "90010", "CA", "US"),
    Customer("Amina Yusuf", "amina@example.com", "+1 612 555 0116", "1530 Cedar Ave S", "Minneapolis", "55454", "MN", "US"),
    # Canada; 555-01xx is set aside for invented numbers there too.
    Customer("Geneviève Tremblay-Côté", "genevieve@example.com", "+1 514 555 0117", "4270 Rue Saint-Denis", "Montréal", "H2J 2K8", "QC", "CA"),
    Customer("Harjit Singh Dhaliwal", "harjit@example.com", "+1 604 555 0118", "6450 Main St", "Vancouver", "V5W 2V4", "BC", "CA"),
    Customer("Moira MacIsaac", "moira@example.com", "+1 902 555 0119", "1675 Lower Water St", "Halifax", "B3J 1S3", "NS", "CA"),
    # The United Kingdom; the ranges ending in 0xxx below are kept free for drama by the regulator.
    Customer("Siân Llewellyn", "sian@example.com", "+44 29 2018 0121", "14 Cathedral Road", "Cardiff", "CF11 9LJ", "", "GB"),
    Customer("Oluwaseun Bankole", "seun@example.com", "+44 20 7946 0122", "27 Lamb’s Conduit Street", "London", "WC1N 3NG", "", "GB"),
    Customer("Fiona Mac an t-Saoir", "fiona@example.com", "+44 131 496 0123", "5 Broughton Place", "Edinburgh", "EH1 3RJ", "", "GB"),
    # Germany
    Customer("Jürgen Weißmüller", "juergen@example.com", "+49 30 23125 124", "Kastanienallee 82", "Berlin", "10435", "", "DE"),
    Customer("Änne von der Heydt-Groß", "aenne@example.com", "+49 221 4710 125", "Maastrichter Straße 17", "Köln", "50672", "", "DE"),
    Customer("Ελένη Παπαδοπούλου", "eleni@example.com", "+49 89 99998 126", "Schellingstraße 44", "München", "80799", "", "DE"),
    # France and Spain
    Customer("Anne-Sophie L’Hôpital", "annesophie@example.com", "+33 1 99 00 01 27", "18 rue des Martyrs", "Paris", "75009", "", "FR"),
    Customer("Bérenger Çelik", "berenger@example.com", "+33 4 65 71 01 28", "6 quai Saint-Antoine", "Lyon", "69002", "", "FR"),
    Customer("María del Carmen Fernández-Villaverde Ruiz", "mcarmen@example.com", "+34 910 000 129", "Calle de las Huertas 41, 3.º B", "Madrid", "28014", "M", "ES"),
    Customer("Eñaut Ibarra", "enaut@example.com", "+34 940 000 130", "Calle Somera 12", "Bilbao", "48005", "BI", "ES"),
    # Poland
    Customer("Łukasz Żółć", "lukasz@example.com", "+48 22 000 01 31", "ul. Hoża 29/31 m. 14", "Warszawa", "00-521", "", "PL"),
    Customer("Świętosława Brzęczyszczykiewicz", "swietka@example.com", "+48 12 000 01 32", "ul. Józefa 9", "Kraków", "31-056", "", "PL"),
    Customer("Олександр Ґалаґан", "oleksandr@example.com", "+48 71 000 01 33", "ul. Ruska 46", "Wrocław", "50-079", "", "PL"),
    # Japan
    Customer("山田 花子", "hanako@example.com", "+81 3 0000 0134", "渋谷区神宮前4-12-10", "渋谷区", "150-0001", "東京都", "JP"),
    Customer("佐藤 健", "takeru@example.com", "+81 75 000 0135", "京都市左京区岡崎円勝寺町91", "京都市", "606-8344", "京都府", "JP"),
    # Iceland and Denmark
    Customer("Björk Þórðardóttir", "bjork@example.com", "+354 000 0136", "Skólavörðustígur 22", "Reykjavík", "101", "", "IS"),
    Customer("Ægir Jónsson", "aegir@example.com", "+354 000 0137", "Hafnarstræti 96", "Akureyri", "600", "", "IS"),
    Customer("Søren Ærø", "soren@example.com", "+45 00 00 01 38", "Værnedamsvej 6, 2. th.", "København V", "1619", "", "DK"),
    Customer("Åse Østergård", "aase@example.com", "+45 00 00 01 39", "Jægergårdsgade 51", "Aarhus C", "8000", "", "DK"),
    # Australia; these numbers are kept free for works of fiction.
    Customer("Mei-Ling Tan", "meiling@example.com", "+61 3 7010 0140", "212 Gertrude Street", "Fitzroy", "3065", "VIC", "AU"),
    Customer("Kirra Nguyen-O’Dea", "kirra@example.com", "+61 2 7010 0141", "9 Glebe Point Road", "Glebe", "2037", "NSW", "AU"),
    Customer("Ἀθηνᾶ Στεφανίδη", "athina@example.com", "+61 8 7010 0142", "33 Gouger Street", "Adelaide", "5000", "SA", "AU"),
)
# fmt: on
