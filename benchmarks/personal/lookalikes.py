"""Columns that look like personal data and are none: a header, and a function of a random source and the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Make = Callable[[Random, int], str]


def digits(draw: Random, count: int) -> str:
    """So many random digits."""
    return "".join(draw.choices("0123456789", k=count))


def letters(draw: Random, count: int) -> str:
    """So many random capital letters."""
    return "".join(draw.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=count))


def with_check(body: str, weights: tuple[int, ...]) -> str:
    """The digits with the check digit of trade items behind them."""
    total = sum(int(digit) * weights[at % 2] for at, digit in enumerate(body))
    return body + str(-total % 10)


def isbn10(draw: Random) -> str:
    """An ISBN of ten places."""
    body = digits(draw, 9)
    check = -sum((10 - at) * int(digit) for at, digit in enumerate(body)) % 11
    return f"{body[0]}-{body[1:5]}-{body[5:]}-{'X' if check == 10 else check}"


def isbn13(draw: Random) -> str:
    """An ISBN of thirteen digits, with hyphens."""
    code = with_check("978" + digits(draw, 9), (1, 3))
    return f"{code[:3]}-{code[3]}-{code[4:6]}-{code[6:12]}-{code[12]}"


PRODUCTS = (
    "Jackson Desk", "Madison Chair", "Austin Lamp", "Oliver Sofa", "Grace Rug", "Victoria Mirror", "Hugo Shelf",
    "Ingrid Table", "Billy Bookcase", "Malm Bed", "Henrik Stool", "Ella Vase", "Stella Clock",
)  # fmt: skip
CITIES = (
    "Austin", "Jackson", "Madison", "Charlotte", "Orlando", "Lincoln", "Houston", "Denver", "Savannah",
    "Florence", "Victoria", "Santiago", "Nancy", "Adelaide", "Darwin", "Sydney", "Paris", "Boston", "Dallas",
    "Tyler",
)  # fmt: skip
SHOPS = (
    "Wells Fargo", "Morgan Stanley", "Ben & Jerry's", "Johnson & Johnson", "Ralph Lauren", "Calvin Klein",
    "Jack Daniel's", "Tiffany & Co", "Marks & Spencer", "John Deere", "Levi Strauss", "Estée Lauder",
    "Harley-Davidson", "Mary Kay", "Goldman Sachs",
)  # fmt: skip
FILMS = (
    "Forrest Gump", "Annie Hall", "Thelma & Louise", "Jerry Maguire", "The Godfather", "Alien", "Erin Brockovich",
    "Billy Elliot", "Toy Story", "Heat", "Stuart Little", "Gladiator", "Amélie", "Jurassic Park", "Rocky",
)  # fmt: skip
MODELS = (
    "Ford Focus", "Mercedes Benz C200", "Alfa Romeo Giulia", "Renault Clio", "Chevrolet Malibu",
    "Lincoln Continental", "Tesla Model 3", "Aston Martin DB9", "Dodge Charger", "Honda Civic", "Škoda Octavia",
    "Seat Leon",
)  # fmt: skip
HURRICANES = (
    "Katrina", "Andrew", "Irma", "Sandy", "Harvey", "Maria", "Ike", "Wilma", "Camille", "Hugo", "Ivan", "Rita",
)  # fmt: skip
STATIONS = (
    "King's Cross", "Victoria", "St. James's Park", "Baker Street", "Charing Cross", "Oxford Circus", "Angel",
    "Bond Street", "Liverpool Street", "Elephant & Castle",
)  # fmt: skip
ROOMS = ("kitchen", "garden", "street", "drive", "court", "road", "flat", "place")
COURSES = ("Algebra I", "World History", "Art", "Biology", "French II", "Physics", "Music Theory", "Drama", "PE")

LOOKALIKES: tuple[tuple[str, Make], ...] = (
    ("order_number", lambda draw, _: digits(draw, 10)),
    ("sku", lambda draw, _: f"{draw.randint(100, 999)}-{draw.randint(100, 999)}-{draw.randint(1000, 9999)}A"),
    ("ean", lambda draw, _: with_check("40" + digits(draw, 10), (1, 3))),
    ("upc", lambda draw, _: with_check("0" + digits(draw, 10), (3, 1))),
    ("isbn", lambda draw, _: isbn10(draw)),
    ("ISBN13", lambda draw, _: isbn13(draw)),
    ("version", lambda draw, _: ".".join(str(draw.randint(0, most)) for most in (9, 20, 9, 9))),
    ("app_version", lambda draw, _: f"{draw.randint(0, 4)}.{draw.randint(0, 30)}.{draw.randint(0, 40)}"),
    ("browser", lambda draw, _: f"{draw.randint(60, 120)}.0.{draw.randint(3000, 6000)}.{draw.randint(10, 200)}"),
    ("timestamp", lambda draw, _: str(draw.randint(1_500_000_000, 1_700_000_000))),
    ("event_ms", lambda draw, _: str(draw.randint(1_500_000_000_000, 1_700_000_000_000))),
    ("population", lambda draw, _: str(draw.randint(10_000_000, 2_000_000_000))),
    ("amount", lambda draw, _: f"{draw.uniform(1, 9000):.2f}"),
    ("balance", lambda draw, _: f"{draw.randint(1, 99)},{digits(draw, 3)},{digits(draw, 3)}"),
    ("transaction_id", lambda draw, _: digits(draw, 16)),
    ("serial", lambda draw, _: letters(draw, 2) + digits(draw, 8)),
    ("part_no", lambda draw, _: f"{letters(draw, 3)}-{digits(draw, 4)}"),
    ("flight", lambda draw, _: f"{letters(draw, 2)} {draw.randint(10, 9999)}"),
    ("invoice", lambda draw, _: f"2024-{digits(draw, 2)}-{digits(draw, 4)}"),
    ("batch", lambda draw, _: f"{digits(draw, 3)}-{digits(draw, 2)}-{digits(draw, 3)}"),
    ("dimensions", lambda draw, _: f"{draw.randint(10, 300)} x {draw.randint(10, 300)} x {draw.randint(10, 300)}"),
    ("range", lambda draw, _: f"{draw.randint(100, 499)}-{draw.randint(500, 999)}"),
    ("salary_range", lambda draw, _: f"{draw.randint(20, 60)}000-{draw.randint(60, 140)}000"),
    ("coordinates", lambda draw, _: f"{draw.uniform(-90, 90):.5f}, {draw.uniform(-180, 180):.5f}"),
    ("easting", lambda draw, _: str(draw.randint(1_000_000, 9_999_999))),
    ("cas", lambda draw, _: f"{draw.randint(50, 99999)}-{digits(draw, 2)}-{digits(draw, 1)}"),
    ("git_commit", lambda draw, _: "".join(draw.choices("0123456789abcdef", k=7))),
    ("product_id", lambda draw, _: f"{digits(draw, 3)}.{digits(draw, 3)}.{digits(draw, 2)}"),
    ("duration", lambda draw, _: f"{draw.randint(0, 9):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}"),
    ("package", lambda draw, _: f"{draw.choice(['numpy', 'react'])}@{draw.randint(0, 9)}.{draw.randint(0, 9)}"),
    ("handle_type", lambda draw, _: draw.choice(["lever", "knob", "bar"])),
    ("phone_service", lambda draw, _: draw.choice(["Yes", "No"])),
    ("phone_model", lambda draw, _: draw.choice(["iPhone 12", "Galaxy S21", "Pixel 6", "Moto G", "Xperia 5"])),
    ("email_opened", lambda draw, _: str(draw.randint(0, 9))),
    ("email", lambda draw, _: draw.choice(["0", "1"])),
    ("num_addresses", lambda draw, _: str(draw.randint(1, 6))),
    ("address_changes", lambda draw, _: str(draw.randint(0, 5))),
    ("ip_traffic_gb", lambda draw, _: f"{draw.uniform(0, 900):.3f}"),
    ("account_length", lambda draw, _: str(draw.randint(1, 240))),
    ("card_type", lambda draw, _: draw.choice(["Visa", "Mastercard", "Amex", "Discover"])),
    ("passport", lambda draw, _: draw.choice(["yes", "no"])),
    ("name_length", lambda draw, _: str(draw.randint(3, 20))),
    ("birth_weight", lambda draw, _: str(draw.randint(1800, 4600))),
    ("births", lambda draw, _: str(draw.randint(100, 9000))),
    ("plate_thickness", lambda draw, _: f"{draw.uniform(1, 20):.1f}"),
    ("product_name", lambda draw, _: draw.choice(PRODUCTS)),
    ("name", lambda draw, _: draw.choice(SHOPS)),
    ("city", lambda draw, _: draw.choice(CITIES)),
    ("place", lambda draw, _: draw.choice(CITIES)),
    ("title", lambda draw, _: draw.choice(FILMS)),
    ("model", lambda draw, _: draw.choice(MODELS)),
    ("storm", lambda draw, _: draw.choice(HURRICANES)),
    ("station_name", lambda draw, _: draw.choice(STATIONS)),
    ("stop", lambda draw, _: draw.choice(STATIONS)),
    ("course", lambda draw, _: draw.choice(COURSES)),
    ("file_name", lambda draw, _: f"report_{digits(draw, 4)}.pdf"),
    ("host_name", lambda draw, _: f"srv-{draw.choice(['web', 'db', 'cache'])}-{digits(draw, 2)}"),
    ("street_type", lambda draw, _: draw.choice(["Avenue", "Street", "Road", "Lane", "Boulevard"])),
    ("road_name", lambda draw, _: f"{draw.choice(['A', 'B', 'M'])}{draw.randint(1, 999)}"),
    ("unit", lambda draw, _: draw.choice(["mg/dl", "mmol", "%", "kg"])),
    ("login_count", lambda draw, _: str(draw.randint(0, 500))),
    ("device", lambda draw, _: draw.choice(["mobile", "desktop", "tablet"])),
    ("device_os", lambda draw, _: draw.choice(["iOS 17.1", "Android 14", "Windows 11"])),
    ("session", lambda draw, _: "".join(draw.choices("0123456789abcdef", k=32))),
    ("customer_id", lambda draw, _: f"C{digits(draw, 6)}"),
    ("store", lambda draw, _: f"{draw.choice(CITIES)} {draw.randint(1, 9)}"),
    ("employer", lambda draw, _: draw.choice(SHOPS)),
    ("date", lambda draw, _: f"{draw.randint(2015, 2024)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"),
    ("hired", lambda draw, _: f"{draw.randint(1, 28):02}/{draw.randint(1, 12):02}/{draw.randint(1990, 2024)}"),
    ("contact", lambda draw, _: draw.choice(["cellular", "telephone", "unknown"])),
    ("mobile", lambda draw, _: draw.choice(["Android", "iOS"])),
    ("color", lambda draw, _: draw.choice(["Olive", "Rose", "Violet", "Ruby", "Amber", "Jade", "Navy", "Teal"])),
    ("month", lambda draw, _: draw.choice(["April", "May", "June", "August", "January"])),
    ("species", lambda draw, _: draw.choice(["Rosa canina", "Iris setosa", "Olea europaea", "Viola odorata"])),
    ("gene", lambda draw, _: f"{letters(draw, 4)}{draw.randint(1, 20)}"),
    ("accession", lambda draw, _: f"{letters(draw, 2)}{digits(draw, 6)}{letters(draw, 1)}"),
    ("loan_no", lambda draw, _: f"{digits(draw, 3)}-{digits(draw, 2)}-{digits(draw, 5)}"),
    ("meter", lambda _, row: f"{100_000_000 + 7 * row}"),
    ("note", lambda draw, _: f"the {draw.choice(ROOMS)} of house {draw.randint(1, 400)} was seen this week"),
    ("remark", lambda draw, _: f"see {draw.choice(ROOMS)} number {draw.randint(1, 400)} on the way"),
    ("score", lambda draw, _: f"{draw.randint(0, 5)}:{draw.randint(0, 5)}"),
)  # fmt: skip
