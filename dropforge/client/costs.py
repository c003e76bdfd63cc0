"""What a deployment costs, idle and used, beside endpoints of SageMaker: plain arithmetic.

Every amount is a `Line`, a quantity of something that has a price in `dropforge.contract.prices`; AWS's list prices are
taken unless others are given. `free` is what is left to pay of it
where the account's free allowances are not used otherwise. Data transfer to the internet is left out: at $0.09 a GB it
is the same for every way of serving, and predictions are small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropforge.contract.prices import DATE, HOURS, LIST, MILLION, REGION
from dropforge.contract.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.contract.prices import Prices

ALARMS, DASHBOARDS, KEYS = 15, 1, 1
"""What the stack has of each by default; a test counts them in the template."""
METRICS_OF_A_ROUTE = 5
"""Count, 4xx, 5xx, latency and integration latency: what API Gateway's detailed metrics measure of a route."""
PREDICT_MEMORY, SMALL_MEMORY, LARGE_MEMORY = 1.769, 0.256, 3.008
"""GB of the predict function, of most steps, and of Inspect and Judge."""
REHEARSAL_MEMORY, REHEARSED = 1.024, 2_200
"""GB of Rehearse, and predictions of a whole rehearsal: 1,000 captured rows and the golden ones, by both versions."""
PREDICT_SECONDS = 0.005
"""Billed seconds of a warm call with one row of a small model."""
LOG_BYTES_OF_A_CALL = 800e-9
"""GB that a call writes: 400 bytes of the API's access log, 400 of Lambda's own lines."""
CAPTURED_TOGETHER, CAPTURE_SECONDS, CAPTURED_BYTES = 100, 0.05, 800e-9
"""Records of an object of captures, billed seconds that it takes to write one, and GB that a record takes."""
STATES = 17
"""Transitions of a run that is promoted, with one training place."""
WARM_READS = 0.02
"""Reads of the live pointer by call: one every few seconds in each instance of the function."""
SERVERLESS_MEMORY, SERVERLESS_SECONDS = 4.0, 0.05
"""GB and billed seconds of a call, for a serverless endpoint with scikit-learn's container."""
LOOK_MINUTES, LOOK_LISTS, LOOK_READS = 15, 2, 3
"""Minutes between two looks of the reconciler, and the lists of S3 and the reads of the registry that one at an idle
bucket takes, beside one row that it writes; tests count them."""
LOOK_MEMORY, LOOK_SECONDS = 0.512, 1.0
IMAGE_GIGABYTES = 8.0
IMAGES = "the training images, compressed: assumed, see --image-gigabytes; a GPU build is the most of it"
"""Assumed, not measured, is one image of each kind: the one for CPUs has 2.4 GB unpacked, torch for CUDA brings several
gigabytes more, and layers shrink to about half. ECR shows the true size, and keeps up to five images of each kind."""
LEAST_TRACED = 0.05
"""Share of the calls that X-Ray samples beside the first of each second."""


@dataclass(frozen=True)
class Line:
    """One amount of a price sheet."""

    what: str
    """The name of its price."""
    quantity: float
    why: str = ""

    def dollars(self, prices: Prices = LIST) -> float:
        """The amount."""
        return self.quantity * prices.unit(self.what).dollars

    def to_json(self, prices: Prices = LIST) -> dict[str, Any]:
        """The line with its arithmetic."""
        price = prices.unit(self.what)
        counted = {"quantity": self.quantity, "unit": price.unit, "price": price.dollars, "free": price.free}
        return {"what": self.what, **counted, "dollars": round(self.dollars(prices), 6), "why": self.why}


@dataclass(frozen=True)
class Use:
    """A month of a deployment."""

    name: str
    models: int
    runs: int
    minutes: float
    """Of training, a run."""
    instance: str
    predictions: int


USES = (
    Use("small", models=1, runs=4, minutes=10, instance="ml.m5.xlarge", predictions=10_000),
    Use("medium", models=5, runs=20, minutes=20, instance="ml.g6.xlarge", predictions=MILLION),
    Use("large", models=20, runs=100, minutes=30, instance="ml.g6.xlarge", predictions=100 * MILLION),
)


def idle(*, image_gigabytes: float = IMAGE_GIGABYTES, gigabytes: float = 1.0) -> list[Line]:
    """A month in which nothing is dropped and nobody calls.

    Args:
        image_gigabytes: compressed size of all training images that ECR keeps.
        gigabytes: data sets, models and reports in S3.
    """
    looks = HOURS * 60 / LOOK_MINUTES
    return [
        Line("key", KEYS),
        Line("alarm", ALARMS),
        Line("dashboard", DASHBOARDS),
        Line("image_bytes", image_gigabytes, IMAGES),
        Line("object_bytes", gigabytes, "data sets, models and reports"),
        Line("object_puts", looks * LOOK_LISTS, f"the reconciler lists every {LOOK_MINUTES} minutes what was dropped"),
        Line("function_requests", looks, "the reconciler"),
        Line("function_seconds", looks * LOOK_SECONDS * LOOK_MEMORY, "the reconciler, a second of 512 MB a look"),
        Line("table_reads", looks * LOOK_READS, "the reconciler"),
        Line("table_writes", looks, "the reconciler"),
        Line("table_bytes", 0.01),
        Line("table_backup_bytes", 0.01),
    ]


def options() -> list[Line]:
    """What a month costs more with settings that are off by default."""
    metrics = len(ROUTES) * METRICS_OF_A_ROUTE
    return [Line("metric", metrics, "dropforge:detailed-metrics, if every route is called; a route called alone is 5")]


def a_run() -> list[Line]:
    """One promoted run without its training: the steps and what they read and write, generously."""
    seconds = (
        30 * LARGE_MEMORY + 10 * SMALL_MEMORY + 30 * REHEARSAL_MEMORY + REHEARSED * PREDICT_SECONDS * PREDICT_MEMORY
    )
    return [
        Line("transitions", STATES),
        Line("function_requests", 7 + REHEARSED, "the steps, and the rows of a whole rehearsal"),
        Line(
            "function_seconds", seconds, "30 s of 3,008 MB (Inspect, Judge), 30 s of Rehearse, its rows, 10 s of 256 MB"
        ),
        Line("table_writes", 40, "twice the rows, as writes in a transaction count"),
        Line("table_reads", 40),
        Line("object_puts", 60),
        Line("object_gets", 100),
        Line("key_requests", 100),
        Line("log_bytes", 0.001),
        Line("events", 10),
        Line("traces", 8 + REHEARSED * LEAST_TRACED),
    ]


def training(instance: str, minutes: float, prices: Prices = LIST) -> float:
    """Dollars of one training job on demand; managed spot usually costs about a third.

    Raises:
        ValueError: an instance type without a price.
    """
    hourly = prices.training
    if instance not in hourly:
        raise ValueError(f"instance: expected one of {', '.join(hourly)}, got {instance!r}")
    return hourly[instance] * minutes / 60


def predictions(count: int, *, traced: bool = False) -> list[Line]:
    """Calls with one row each, spread over a month.

    Args:
        count: calls; a call may have a thousand rows, which adds milliseconds and no request.
        traced: whether X-Ray traces them (`dropforge:trace-calls`).
    """
    lines = [
        Line("api_requests", count),
        Line("function_requests", count),
        Line("function_seconds", count * PREDICT_SECONDS * PREDICT_MEMORY, "5 ms of 1,769 MB a call"),
        Line("log_bytes", count * LOG_BYTES_OF_A_CALL, "800 bytes a call"),
        Line("table_reads", count * WARM_READS),
    ]
    return [*lines, Line("traces", traces(count), TRACED)] if traced else lines


def captures(count: int) -> list[Line]:
    """Captures of so many calls with one row each, at one call a second, kept for a month."""
    objects = count / CAPTURED_TOGETHER
    return [
        Line("object_puts", objects, "an object holds 100 records at one call a second"),
        Line("function_seconds", objects * CAPTURE_SECONDS * PREDICT_MEMORY, "an assumed 50 ms of 1,769 MB an object"),
        Line(
            "object_bytes",
            count * CAPTURED_BYTES,
            "an assumed 0.4 kB a record, as JSON lines and as Parquet, for a month",
        ),
    ]


TRACED = "dropforge:trace-calls: the first call of each second, and 5 % of the others"


def traces(count: int) -> float:
    """How many of `count` calls, evenly spread over a month, X-Ray records."""
    seconds = HOURS * 3600
    first = min(count, seconds)
    return first + LEAST_TRACED * (count - first)


def total(lines: Sequence[Line], prices: Prices = LIST) -> float:
    """Dollars of these lines, as if nothing was free."""
    return sum(line.dollars(prices) for line in lines)


def to_pay(lines: Sequence[Line], prices: Prices = LIST) -> float:
    """Dollars of a month that has these lines and nothing else of the account, after the free allowances."""
    counted: dict[str, float] = {}
    for line in lines:
        counted[line.what] = counted.get(line.what, 0.0) + line.quantity
    units = {what: prices.unit(what) for what in counted}
    return sum(max(0.0, quantity - units[what].free) * units[what].dollars for what, quantity in counted.items())


def served(use: Use, image_gigabytes: float = IMAGE_GIGABYTES) -> list[Line]:
    """The month of `use` without its training."""
    steps = [Line(line.what, line.quantity * use.runs, line.why) for line in a_run()]
    month = idle(image_gigabytes=image_gigabytes, gigabytes=float(use.models))
    return [*month, *steps, *predictions(use.predictions)]


def beside_endpoints(use: Use, prices: Prices = LIST, image_gigabytes: float = IMAGE_GIGABYTES) -> dict[str, float]:
    """Dollars of the month of `use`, training left out, for each way to serve: ours, and SageMaker's endpoints."""
    month = {name: hourly * HOURS for name, hourly in prices.endpoints.items()}
    seconds = use.predictions * SERVERLESS_SECONDS * SERVERLESS_MEMORY
    lines = served(use, image_gigabytes)
    return {
        "Dropforge": total(lines, prices),
        "Dropforge, after free allowances": to_pay(lines, prices),
        "a real-time endpoint a model (ml.m5.large)": use.models * month["ml.m5.large"],
        "one endpoint for all models, two instances (ml.m5.xlarge)": 2 * month["ml.m5.xlarge"],
        "serverless endpoints (4 GB, 50 ms)": seconds * prices.unit("serverless_seconds").dollars,
    }


def break_even(prices: Prices = LIST, image_gigabytes: float = IMAGE_GIGABYTES) -> int:
    """Calls a month from which on two instances that are always up cost less than paying by call."""
    month = total(idle(image_gigabytes=image_gigabytes), prices)
    spare = 2 * prices.endpoints["ml.m5.xlarge"] * HOURS - month
    return round(spare / (total(predictions(MILLION), prices) / MILLION))


def sheet(use: Use | None = None, prices: Prices = LIST, image_gigabytes: float = IMAGE_GIGABYTES) -> dict[str, Any]:
    """The whole price sheet as JSON values.

    Args:
        use: a month to work out; small, medium and large use by default.
        prices: what the deployment pays.
        image_gigabytes: compressed size of all training images that ECR keeps.
    """
    uses = USES if use is None else (use,)
    options_and_traces = [*options(), *predictions(MILLION, traced=True)[-1:]]
    hourly = {name: round(dollars, 4) for name, dollars in prices.training.items()}
    return {
        "date": DATE,
        "region": REGION,
        "own_prices": dict(prices.own),
        "idle": section(idle(image_gigabytes=image_gigabytes), prices),
        "options": [line.to_json(prices) for line in options_and_traces],
        "run": {**section(a_run(), prices), "training": hourly},
        "million_predictions": section(predictions(MILLION), prices),
        "captures": section(captures(MILLION), prices),
        "uses": [a_use(each, prices, image_gigabytes) for each in uses],
        "break_even": break_even(prices, image_gigabytes),
    }


def section(lines: Sequence[Line], prices: Prices = LIST) -> dict[str, Any]:
    """Lines with their sum, and what is left to pay of it after the free allowances."""
    sums = {"dollars": round(total(lines, prices), 4), "after_free": round(to_pay(lines, prices), 4)}
    return {"lines": [line.to_json(prices) for line in lines], **sums}


def a_use(use: Use, prices: Prices, image_gigabytes: float) -> Mapping[str, Any]:
    """A month's use with its costs by way of serving."""
    trained = use.runs * training(use.instance, use.minutes, prices)
    ways = {name: round(dollars, 2) for name, dollars in beside_endpoints(use, prices, image_gigabytes).items()}
    return {**vars(use), "training_dollars": round(trained, 2), "serving": ways}
