"""The settings of a deployment, read from CDK context in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from cdk_app.context_values import ContextValues, SettingFault
from cdk_app.image_settings import ImageChoice
from dropforge.contract.hops import WITHOUT_GPU_CHOICES, WithoutGpu
from dropforge.contract.instances import parse_place
from dropforge.contract.names import check_model
from dropforge.contract.prices import LIST, Prices

if TYPE_CHECKING:
    from collections.abc import Mapping

Packaging = Literal["full", "code"]

STACK = "Dropforge"
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
"""What CloudFormation takes for the name of a stack."""
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The retention times that CloudWatch Logs knows."""


@dataclass(frozen=True)
class Warmth:
    """Ways to make cold starts rarer or shorter, which cost money while nobody calls."""

    snap_start: bool = False
    """Whether functions that predict start from a snapshot (SnapStart)."""
    provisioned: int = 0
    """Provisioned concurrency: how many instances of each function stand by."""

    def __post_init__(self) -> None:
        if self.snap_start and self.provisioned:
            raise SettingFault(
                "dropforge:snap-start and dropforge:provisioned-concurrency: expected one of them, got both; "
                "Lambda has no provisioned concurrency for functions with SnapStart"
            )


@dataclass(frozen=True)
class Retention:
    """Days after which things are deleted; 0 keeps them for ever."""

    logs: int = 90
    """Of functions, state machines and the API."""
    versions: int = 90
    """Objects that were overwritten or deleted."""
    inputs: int = 30
    """A run's own copy of its data; what was dropped stays."""
    quarantine: int = 90
    """Copies of rejected drops, and why they were rejected."""
    predictions: int = 365
    """The files of predicted batches."""


@dataclass(frozen=True)
class Adopted:
    """The data of a destroyed stack, which a new one goes on with; the output `Adopt` of a stack names its own."""

    drop: str
    """The drop bucket's name."""
    artifacts: str
    """The artifact bucket's name."""
    accesses: str
    """The name of the bucket with the access logs of both."""
    table: str
    """The registry table's name."""
    key: str
    """The key's ARN."""

    @classmethod
    def from_pairs(cls, pairs: Mapping[str, str]) -> Adopted:
        """Reads the names by part.

        Raises:
            SettingFault: a part is missing, or there is one that no stack has.
        """
        parts = [each.name for each in fields(cls)]
        if sorted(pairs) != sorted(parts) or not all(pairs.values()):
            got = ", ".join(pairs) or "none"
            raise SettingFault(
                f"dropforge:adopt: expected the names of {', '.join(parts)}, got {got}: copy the output Adopt of the "
                "stack whose data this one goes on with"
            )
        return cls(**pairs)

    def __str__(self) -> str:
        return ",".join(f"{each.name}={getattr(self, each.name)}" for each in fields(self))


@dataclass(frozen=True)
class Settings:
    """What a deployment can choose; everything else is the same in every deployment."""

    stack: str = STACK
    """Name of the stack, also of its API, the metrics' namespace, and, in small letters, its training jobs."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""
    packaging: Packaging = "full"
    """`full` packs functions with their dependencies; `code` relies on the packages of the Python that runs them."""
    images: ImageChoice = ImageChoice()
    """The training images, and how they are built."""
    without_gpu: WithoutGpu = "fail-over"
    """What a training job does that does not see the GPU of its machine."""
    remove_data: bool = False
    """Whether buckets, table and key are deleted with the stack, which takes two switches."""
    protect_table: bool = False
    """Whether DynamoDB refuses to delete the registry's table, to CloudFormation too."""
    adopt: Adopted | None = None
    """The data of another stack to go on with; None makes new buckets, table and key."""
    retention: Retention = Retention()
    places: tuple[str, ...] = ()
    """Where runs train, in order, as `parse_place` reads it; empty for `instances.PLACES`."""
    budget_cap: float = 0.0
    """The most US dollars that a training job may cost, by its time limit and the prices; 0 for any."""
    prices: Prices = LIST
    """What this deployment pays, where that is not AWS's list for us-east-1."""
    alarm_addresses: tuple[str, ...] = ()
    """E-mail addresses that alarms and results are sent to."""
    leave_api_account: bool = False
    """Whether the account's role for API Gateway's logs, one a region, is left as it is."""
    warmth: Warmth = Warmth()
    """Warmth of the function that predicts for every model."""
    hot: Mapping[str, Warmth] = field(default_factory=dict)
    """Warmth of the function of each model that has one of its own, by the model's name."""
    detailed_metrics: bool = False
    """Whether API Gateway measures every route by itself, for $1.50 a month and called route; no alarm needs it."""
    trace_calls: bool = False
    """Whether X-Ray traces calls of the API: up to $5 a million, more than the calls. Runs are always traced."""
    capture: bool = True
    """Whether requests and answers are kept, as the models' specs say; `dropforge:no-capture` turns it off for all."""

    def __post_init__(self) -> None:
        if self.remove_data and (self.protect_table or self.adopt):
            other = "protect-table" if self.protect_table else "adopt"
            raise SettingFault(
                f"dropforge:remove-data and dropforge:{other}: expected one of them, got both; data that are to go "
                "with the stack can be neither protected nor another stack's"
            )

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Settings:
        """Reads the settings from `cdk.json` and the `-c` options.

        Raises:
            SettingFault: a setting that there is not, with the nearest names; or a value that cannot be used.
            NameFault: an invalid name of a model.
        """
        values = ContextValues(context)
        prices = _prices(values)
        settings = cls(
            stack=_stack(values),
            tags=values.pairs("tags"),
            packaging=values.choice("packaging", get_args(Packaging)),
            images=ImageChoice.from_values(values),
            without_gpu=values.choice("without-gpu", WITHOUT_GPU_CHOICES),
            remove_data=all([values.flag("remove-data"), values.flag("yes-remove-data")]),
            protect_table=values.flag("protect-table"),
            adopt=_adopted(values),
            retention=_retention(values),
            places=_places(values, prices),
            budget_cap=values.amount("budget-cap"),
            prices=prices,
            alarm_addresses=_addresses(values),
            leave_api_account=values.flag("leave-api-account"),
            warmth=Warmth(values.flag("snap-start"), values.count("provisioned-concurrency")),
            hot=_hot(values),
            detailed_metrics=values.flag("detailed-metrics"),
            trace_calls=values.flag("trace-calls"),
            capture=not values.flag("no-capture"),
        )
        values.refuse_unknown()
        return settings


def _stack(values: ContextValues) -> str:
    name = values.text("stack", STACK)
    if STACK_NAME.fullmatch(name) is None:
        raise values.fault("stack", "at most 128 letters, digits and '-', a letter first", name)
    return name


def _adopted(values: ContextValues) -> Adopted | None:
    pairs = values.pairs("adopt")
    return Adopted.from_pairs(pairs) if pairs else None


def _retention(values: ContextValues) -> Retention:
    """The days of each kind, from settings such as `log-days`."""
    default = Retention()
    kept = Retention(
        logs=values.count("log-days", default.logs),
        versions=values.count("version-days", default.versions),
        inputs=values.count("input-days", default.inputs),
        quarantine=values.count("quarantine-days", default.quarantine),
        predictions=values.count("prediction-days", default.predictions),
    )
    if kept.logs not in (0, *LOG_DAYS):
        known = ", ".join(map(str, LOG_DAYS))
        raise values.fault("log-days", f"0 for ever, or a time that CloudWatch Logs knows ({known})", kept.logs)
    return kept


def _prices(values: ContextValues) -> Prices:
    try:
        return Prices.of(values.pairs("prices"))
    except ValueError as fault:
        raise SettingFault(f"dropforge:prices: {fault}") from fault


def _places(values: ContextValues, prices: Prices) -> tuple[str, ...]:
    places = values.names("places")
    for place in places:
        try:
            parse_place(place, prices.training)
        except ValueError as fault:
            raise SettingFault(f"dropforge:places: {fault}") from fault
    return tuple(places)


def _addresses(values: ContextValues) -> tuple[str, ...]:
    addresses = values.names("alarm-email")
    for address in addresses:
        if re.fullmatch(r"[^@\s]+@[^@\s]+", address) is None:
            raise values.fault("alarm-email", "e-mail addresses with commas between them", address)
    return tuple(addresses)


def _hot(values: ContextValues) -> dict[str, Warmth]:
    """Reads `houses=2,income`: a function for each model, with two provisioned instances for the first."""
    hot, snap_start = {}, values.flag("snap-start")
    for part in values.names("hot-models"):
        name, _, count = part.partition("=")
        provisioned = values.number(count or 0, f"hot-models: {name}")
        hot[check_model(name)] = Warmth(snap_start and not provisioned, provisioned)
    return hot
