"""The demo shop's goods: invented wines of invented houses, and a few things to open and give them with.

Money is in US cents, weights in grams as shipped (bottle or case with its carton), sizes in millilitres. Nothing here
touches the database: the demo command turns these rows into products, bins and stock.
"""

# ruff: noqa: E501 (a table reads best with one wine to a line)
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = Literal["red", "white", "rose", "sparkling", "sweet"]
WhenOut = Literal["backorder", "stop"]


@dataclass(frozen=True)
class House:
    """A family of wines that differ only in vintage: what the vintages share."""

    code: str
    producer: str
    name: str
    grape: str
    region: str
    colour: Colour
    supplier: str
    motif: str
    size_ml: int = 750
    weight_g: int = 1450


@dataclass(frozen=True)
class Wine:
    """One bottle (or case) as sold. `vintage` is None for a wine made without one; `family` names its siblings."""

    sku: str
    family: str
    producer: str
    name: str
    vintage: int | None
    size_ml: int
    region: str
    grape: str
    colour: Colour
    motif: str
    description: str
    price: int
    cost: int
    weight_g: int
    bin: str
    on_hand: int
    reorder_point: int
    supplier: str
    lead_days: int
    sell_when_out: WhenOut
    bottles: int = 1
    age_restricted: bool = True

    @property
    def title(self) -> str:
        """The name on the page, the slip and the label: producer, wine, vintage."""
        parts = [self.producer, self.name, str(self.vintage or "")]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Accessory:
    """Something sold beside the wine, to anybody of any age."""

    sku: str
    name: str
    description: str
    price: int
    cost: int
    weight_g: int
    bin: str
    on_hand: int
    reorder_point: int
    supplier: str
    lead_days: int
    sell_when_out: WhenOut = "backorder"
    age_restricted: bool = False

    @property
    def title(self) -> str:
        """The name on the page and the slip."""
        return self.name


# fmt: off
HOUSES: tuple[House, ...] = (
    House("ALD-PN", "Alder Ridge", "Pinot Noir", "Pinot Noir", "Alder Valley", "red", "northfold", "ridge"),
    House("ALD-CH", "Alder Ridge", "Chardonnay", "Chardonnay", "Alder Valley", "white", "northfold", "ridge"),
    House("ALD-RO", "Alder Ridge", "Rosé of Pinot Noir", "Pinot Noir", "Alder Valley", "rose", "northfold", "ridge"),
    House("QUI-RI", "Quill", "Riesling", "Riesling", "Slate Bend", "white", "northfold", "quill"),
    House("QUI-LH", "Quill", "Late Harvest Riesling", "Riesling", "Slate Bend", "sweet", "northfold", "quill", 375, 820),
    House("TER-CH", "Tern Island", "Chardonnay", "Chardonnay", "Tern Sound", "white", "harbour", "tern"),
    House("TER-SB", "Tern Island", "Sauvignon Blanc", "Sauvignon Blanc", "Tern Sound", "white", "harbour", "tern"),
    House("TER-BB", "Tern Island", "Blanc de Blancs", "Chardonnay", "Tern Sound", "sparkling", "harbour", "tern", 750, 1700),
    House("COP-SY", "Copper Gate", "Syrah", "Syrah", "Copper Hills", "red", "meridian", "gate"),
    House("COP-GR", "Copper Gate", "Grenache", "Grenache", "Copper Hills", "red", "meridian", "gate"),
    House("STO-RE", "Stonecrop", "Reserve", "Cabernet Sauvignon, Merlot", "High Quarry", "red", "meridian", "stone"),
    House("STO-CF", "Stonecrop", "Cabernet Franc", "Cabernet Franc", "High Quarry", "red", "meridian", "stone"),
    House("LAN-TE", "Lantern Hill", "Tempranillo", "Tempranillo", "Lantern Plain", "red", "meridian", "sun"),
    House("LAN-AL", "Lantern Hill", "Albariño", "Albariño", "Lantern Plain", "white", "meridian", "sun"),
    House("MAR-BR", "Marrow & Daughter", "Brut", "Pinot Noir, Chardonnay", "Chalk Down", "sparkling", "harbour", "stars", 750, 1700),
    House("MAR-RO", "Marrow & Daughter", "Brut Rosé", "Pinot Noir", "Chalk Down", "sparkling", "harbour", "stars", 750, 1700),
    House("VES-SA", "Vesper Fold", "Sangiovese", "Sangiovese", "Vesper Hills", "red", "cellarway", "vine"),
    House("VES-VE", "Vesper Fold", "Vermentino", "Vermentino", "Vesper Hills", "white", "cellarway", "vine"),
    House("SAL-RO", "Salt Orchard", "Dry Rosé", "Grenache, Cinsault", "Long Shore", "rose", "harbour", "waves"),
    House("SAL-CB", "Salt Orchard", "Chenin Blanc", "Chenin Blanc", "Long Shore", "white", "harbour", "waves"),
    House("HAR-ZI", "Hare & Thistle", "Zinfandel", "Zinfandel", "Thistle Bench", "red", "cellarway", "thistle"),
    House("HAR-GS", "Hare & Thistle", "Gewürztraminer", "Gewürztraminer", "Thistle Bench", "white", "cellarway", "thistle"),
    House("NOC-TA", "Nocturne", "Tawny", "Touriga, Tinta", "Old Ferry", "sweet", "cellarway", "moon", 500, 1050),
    House("NOC-VP", "Nocturne", "Vintage Fortified", "Touriga", "Old Ferry", "sweet", "cellarway", "moon"),
    House("HSE-WH", "House White", "Case of Twelve", "Chenin Blanc, Colombard", "Long Shore", "white", "harbour", "house", 750, 16200),
    House("HSE-RD", "House Red", "Case of Twelve", "Syrah, Grenache", "Copper Hills", "red", "meridian", "house", 750, 16200),
)
# fmt: on

# family, vintage, price, cost, bin, on hand, reorder point, lead days, when out, tasting note
_VINTAGES: tuple[tuple[str, int | None, int, int, str, int, int, int, WhenOut, str], ...] = (
    ("ALD-PN", 2021, 5900, 3100, "B-14", 26, 12, 4, "backorder", "Sour cherry and cold tea, with a floor of wet leaves."),
    ("ALD-PN", 2022, 5400, 2900, "B-15", 48, 12, 4, "backorder", "Rounder than its elder: raspberry, clove, a warm finish."),
    ("ALD-PN", 2019, 7200, 3900, "B-13", 3, 0, 0, "stop", "Dried rose and forest path; the last bottles of a cool year."),
    ("ALD-CH", 2022, 4200, 2200, "C-05", 30, 12, 4, "backorder", "Lemon curd on toast, then a long line of chalk."),
    ("ALD-CH", 2023, 3900, 2050, "C-06", 0, 12, 4, "backorder", "Green apple and almond skin, still a little shy."),
    ("ALD-RO", 2024, 2800, 1450, "D-01", 36, 18, 4, "backorder", "Pale as the inside of a shell; strawberry and rain."),
    ("QUI-RI", 2022, 4250, 2250, "C-02", 19, 6, 5, "backorder", "Lime peel and slate, dry as a good remark."),
    ("QUI-RI", 2023, 3950, 2100, "C-03", 42, 12, 5, "backorder", "White peach and flint, with a drop of honey kept back."),
    ("QUI-RI", 2018, 6400, 3500, "C-01", 2, 0, 0, "stop", "Gone gold: petrol, apricot, beeswax, and no hurry at all."),
    ("QUI-LH", 2021, 4800, 2600, "E-07", 14, 6, 5, "backorder", "Candied orange and saffron, lifted by bright acidity."),
    ("QUI-LH", 2019, 5600, 3000, "E-08", 1, 0, 0, "stop", "Quince paste and marmalade; a thimble is a pudding."),
    ("TER-CH", 2023, 3390, 1750, "C-11", 60, 24, 3, "backorder", "Sea breeze, pear and a pinch of salt, unoaked."),
    ("TER-CH", 2022, 3590, 1850, "C-12", 8, 0, 3, "backorder", "A year older and calmer: baked pear, brioche crust."),
    ("TER-SB", 2024, 2650, 1350, "C-14", 72, 24, 3, "backorder", "Gooseberry, cut grass and a slap of cold spray."),
    ("TER-SB", 2023, 2650, 1350, "C-15", 0, 0, 3, "stop", "Passion fruit and nettle; sold through in one summer."),
    ("TER-BB", 2019, 6800, 3700, "F-02", 11, 6, 7, "backorder", "Oyster shell, lemon zest and a fine, busy bead."),
    ("COP-SY", 2019, 4150, 2200, "B-21", 0, 0, 0, "stop", "Black olive, violets and smoke. Sold out, and missed."),
    ("COP-SY", 2020, 4250, 2250, "B-22", 34, 12, 6, "backorder", "Blackberry and cracked pepper over warm stone."),
    ("COP-SY", 2021, 4350, 2300, "B-23", 24, 12, 6, "backorder", "Plum skin, bacon fat, and a tannin like fine suede."),
    ("COP-GR", 2022, 3450, 1800, "B-25", 5, 12, 6, "backorder", "Red plum and orange oil, light on its feet."),
    ("STO-RE", 2015, 8900, 4900, "A-03", 4, 0, 0, "stop", "Cedar box, blackcurrant and pencil; fully awake now."),
    ("STO-RE", 2017, 7900, 4300, "A-04", 18, 6, 10, "backorder", "Dark fruit behind a stone wall; open it an hour early."),
    ("STO-RE", 2018, 7600, 4150, "A-05", 0, 6, 10, "backorder", "Cassis, graphite and bay leaf, with years in hand."),
    ("STO-CF", 2021, 4600, 2450, "A-07", 22, 6, 10, "backorder", "Raspberry leaf and bell pepper, cool and upright."),
    ("LAN-TE", 2018, 3800, 2000, "B-31", 16, 6, 8, "backorder", "Dried fig, leather and vanilla from patient oak."),
    ("LAN-TE", 2020, 3200, 1650, "B-32", 54, 18, 8, "backorder", "Red cherry, dill and dust after a hot afternoon."),
    ("LAN-AL", 2023, 2950, 1500, "C-21", 28, 12, 8, "backorder", "Grapefruit and jasmine with a salty edge."),
    ("LAN-AL", 2024, 2950, 1500, "C-22", 3, 12, 8, "backorder", "The new one: lime, white flowers, all elbows and charm."),
    ("MAR-BR", None, 3900, 2050, "F-11", 84, 24, 5, "backorder", "Toast, apple and chalk, the same every year on purpose."),
    ("MAR-BR", 2016, 9200, 5100, "F-12", 6, 0, 5, "stop", "Hazelnut and preserved lemon after eight years on lees."),
    ("MAR-RO", None, 4400, 2350, "F-14", 20, 12, 5, "backorder", "Wild strawberry and blood orange in a fine mousse."),
    ("VES-SA", 2020, 3600, 1900, "B-41", 25, 12, 9, "backorder", "Tart cherry, dried thyme and a clean, dusty grip."),
    ("VES-SA", 2021, 3500, 1850, "B-42", 40, 12, 9, "backorder", "Cranberry and tomato leaf; wants a plate beside it."),
    ("VES-VE", 2023, 2700, 1400, "C-31", 1, 12, 9, "backorder", "Fennel, green almond and a bitter twist at the end."),
    ("SAL-RO", 2024, 2400, 1200, "D-04", 90, 36, 3, "backorder", "Melon rind and sea spray, made for long tables."),
    ("SAL-RO", 2023, 2400, 1200, "D-05", 0, 0, 3, "stop", "Peach and white pepper; last summer in a glass."),
    ("SAL-CB", 2022, 2950, 1500, "C-34", 33, 12, 3, "backorder", "Bruised apple, wool and honey, with a briny cut."),
    ("HAR-ZI", 2021, 3300, 1700, "B-51", 27, 12, 7, "backorder", "Bramble jam and black pepper, generous to a fault."),
    ("HAR-ZI", 2022, 3300, 1700, "B-52", 2, 12, 7, "backorder", "Blueberry, liquorice and a long, warm hug."),
    ("HAR-GS", 2023, 3100, 1600, "C-41", 17, 6, 7, "backorder", "Rose water, lychee and ginger, off-dry and unashamed."),
    ("NOC-TA", None, 4900, 2600, "E-01", 31, 6, 12, "backorder", "Walnut, toffee and orange rind from ten years in cask."),
    ("NOC-VP", 2011, 11800, 6700, "E-03", 3, 0, 0, "stop", "Ink, violets and bitter chocolate; will see us all out."),
    ("NOC-VP", 2017, 8400, 4700, "E-04", 9, 3, 12, "backorder", "Blackberry liqueur and tar, young and thunderous."),
    ("HSE-WH", None, 13200, 7200, "G-01", 15, 10, 3, "backorder", "Twelve bottles of the honest one: pear, lemon, no fuss."),
    ("HSE-RD", None, 13800, 7500, "G-02", 4, 10, 6, "backorder", "Twelve bottles for weeknights: plum, pepper, soft edges."),
)  # fmt: skip

_CASE_OF_TWELVE = frozenset({"HSE-WH", "HSE-RD"})


def _wine(row: tuple[str, int | None, int, int, str, int, int, int, WhenOut, str], house: House) -> Wine:
    family, vintage, price, cost, bin_, on_hand, reorder_point, lead_days, sell_when_out, description = row
    return Wine(
        sku=f"{family}-{vintage or (12 if family in _CASE_OF_TWELVE else 'NV')}",
        family=family,
        producer=house.producer,
        name=house.name,
        vintage=vintage,
        size_ml=house.size_ml,
        region=house.region,
        grape=house.grape,
        colour=house.colour,
        motif=house.motif,
        description=description,
        price=price,
        cost=cost,
        weight_g=house.weight_g,
        bin=bin_,
        on_hand=on_hand,
        reorder_point=reorder_point,
        supplier=house.supplier,
        lead_days=lead_days,
        sell_when_out=sell_when_out,
        bottles=12 if family in _CASE_OF_TWELVE else 1,
    )


_HOUSE_BY_CODE = {house.code: house for house in HOUSES}

WINES: tuple[Wine, ...] = tuple(_wine(row, _HOUSE_BY_CODE[row[0]]) for row in _VINTAGES)

ACCESSORIES: tuple[Accessory, ...] = (
    Accessory("ACC-CORK", "Waiter's corkscrew, walnut", "Two-step lever, a blade that stays sharp, a handle that warms.",
              2400, 1100, 140, "H-01", 40, 10, "cellarway", 9),
    Accessory("ACC-GLASS-2", "Two tasting glasses", "Thin-lipped and dishwasher-proof, which is rarer than it sounds.",
              3600, 1700, 620, "H-02", 18, 6, "cellarway", 9),
    Accessory("ACC-GIFT-1", "Gift box for one bottle", "Heavy card in deep wine red, with paper straw and a note card.",
              900, 350, 210, "H-03", 65, 20, "cellarway", 9),
    Accessory("ACC-GIFT-3", "Gift box for three bottles", "Pine with a sliding lid and a rope handle; useful long after.",
              1900, 850, 780, "H-04", 0, 8, "cellarway", 9),
)  # fmt: skip
