"""What the API answers, and what it takes besides rows: a record for every body of its own routes.

The handlers return these records, the OpenAPI document describes them, and the SDK gives them to its users. What a
field needs to say beyond its type is in `Described`. The rows of runs, versions and the live pointer are stored
documents of their own (`registry.py`, `models.py`) and are answered as they are.

The answer to a request for predictions is written by hand where every microsecond counts
(`dropforge/inference/protocols/simple.py`); `Predictions` describes it, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, NamedTuple, TypedDict

from dropforge.contract.documents import Record
from dropforge.contract.known import TakenFor, WarningKind  # noqa: TC001  # the document reads the annotations
from dropforge.contract.models import Candidate, LiveRow, VersionRow
from dropforge.contract.registry import RunRow
from dropforge.contract.rollouts import HandMove
from dropforge.contract.schema import ModelCard
from dropforge.contract.scores import Calibration, Gain, GroupedBy, Importance, Interval
from dropforge.contract.tasks import Direction


class Described(NamedTuple):
    """What the OpenAPI document says of a field beyond its Python type."""

    description: str = ""
    type: Any = None
    """The type that the API itself answers, where the record's is wider."""
    always: bool = True
    """Whether every answer has the field."""


class ErrorDetail(Record):
    """What went wrong, in a code for programs and in words for people."""

    code: str
    message: str
    field: str | None
    """The part of the request that is wrong, such as `rows[3].age`; None for the whole request."""
    row: int | None = None
    """The number of the row in the request, counted from 0."""
    column: str | None = None
    """The name of the column; a very long one is cut."""
    columns: Annotated[list[str] | None, Described(type=list[str], always=False)] = None
    """The names of all columns that are missing, or of all that the model does not know; `column` is the first."""


class Error(Record):
    """Every answer with a status from 400 on."""

    error: ErrorDetail


class ModelLine(Record):
    """One model in a list: which version serves and how good it is.

    Example:
        >>> [(line.model, line.version) for line in forge.models()]
        [('churn', '3'), ('houses', '1')]
    """

    model: str
    version: str
    run: str
    moved: str
    """When the version went live; UTC, ISO 8601."""
    task: str | None
    target: str | None
    metric: str | None
    """The metric that decides."""
    metrics: dict[str, float] | None
    """Hold-out scores; None where no registry knows them."""
    baseline: dict[str, float] | None
    """The trivial baseline's, on the same rows."""


class ModelList(Record):
    """The models that serve, by name."""

    models: tuple[ModelLine, ...]
    next: str | None
    """What `after` takes to go on behind this page; None at the end."""


class ModelPage(Record):
    """One model: the live version, or the newest where none ever served.

    Example:
        >>> page = forge.model("houses")
        >>> page.version, [column.name for column in page.card.columns]
        ('1', ['rooms', 'district'])
    """

    model: str
    version: str | None
    """The live version; None when nothing serves."""
    live: LiveRow | None
    task: str
    target: str
    metric: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    direction: Annotated[Direction | None, Described(type=Direction)]
    """Of `metric`; None from a server that is too old to say."""
    intervals: dict[str, Interval]
    """Of the scores in `metrics`, 95 %."""
    gains: dict[str, Gain]
    """How much better the model is than the trivial baseline, by metric."""
    groups: tuple[GroupedBy, ...]
    calibration: Calibration | None
    importances: tuple[Importance, ...]
    """Of every column that the model reads, the most important first."""
    notes: tuple[str, ...]
    """What the scores cannot say, and what to do about it."""
    card: ModelCard
    """What a request must hold: columns, classes, and the like."""
    lineage: dict[str, Any]
    versions: tuple[VersionRow, ...]
    """The newest ones, the newest first."""
    versions_next: Annotated[
        str | None, Described("`after` of GET /models/{model}/versions; null when all of them are here")
    ]
    history: tuple[LiveRow, ...]
    """The last moves of the live pointer, the last one first."""
    history_next: Annotated[
        str | None, Described("`after` of GET /models/{model}/history; null when all of them are here")
    ]


class ServedModelPage(ModelLine):
    """One model as `dropforge serve` shows it: the registry's part of a page is not there."""

    card: ModelCard
    importances: tuple[Importance, ...]


class VersionList(Record):
    """The versions of a model, the newest first."""

    versions: tuple[VersionRow, ...]
    next: str | None


class MoveList(Record):
    """The moves of a model's live pointer, the last one first."""

    history: tuple[LiveRow, ...]
    next: str | None


class RunList(Record):
    """Runs, the newest first."""

    runs: tuple[RunRow, ...]
    next: str | None


class ServeRequest(Record):
    """The body of `PUT /models/{model}/live`: an approved version, which serves from then on."""

    version: str
    because: str = ""
    """Why, for the history."""


class RolloutRequest(Record):
    """The body of `PUT /models/{model}/rollout`: what is to happen to the rollout, and why."""

    move: Annotated[HandMove, Described("What is to happen")]
    version: str = ""
    """Only with `begin`: an approved version."""
    share: float = 0.0
    """Of the callers that it answers. With `begin`, 0 for a shadow; with `advance`, more than now and less than 1."""
    unit: str = ""
    """Only with `begin`: whose requests stay with one version, a column or `header:` and a header's name; empty for the
    caller's identity."""
    because: str = ""
    """Why, for the history."""


class RolloutPage(Record):
    """The rollout of a model: the live pointer with its candidate, and the moves since it began.

    Example:
        >>> page = forge.rollout("houses")
        >>> page.candidate.version, page.candidate.stage, page.candidate.share
        ('4', 'canary', 0.25)
    """

    model: str
    version: str | None
    """The live version; None when nothing serves."""
    generation: int
    """The number of the last move."""
    candidate: Candidate | None
    """The other version; None without a rollout."""
    moves: tuple[LiveRow, ...]
    """The moves of this rollout, the last one first; empty without one."""


class RecommendedItem(TypedDict):
    """One item of a recommender's list."""

    item: str
    score: float
    """The rating that the user is expected to give."""


Explanation = TypedDict(
    "Explanation",
    {
        "class": Annotated[str | float | bool | None, Described("Null for regression")],
        "base": Annotated[float, Described("Mean answer for the rows that the model's file compares with")],
        "contributions": Annotated[dict[str, float], Described("By column; with the base they add up to the answer")],
        "errors": Annotated[dict[str, float], Described("Standard errors of the contributions")],
    },
)
"""What one row's answer is made of."""


class RefusedRow(TypedDict):
    """A row that has no answer, because the model cannot read it."""

    row: int
    """The number of the row in the request, counted from 0; the SDK counts over all rows of the call."""
    column: Annotated[str | None, Described("Null where the answer for the row as a whole is not finite")]
    code: str
    reason: Annotated[str, Described("What was expected, and what came")]


EXPLAINED = Described("With explain=true alone", list[Explanation | None], always=False)
REFUSED = Described("With errors=skip alone: the rows without an answer", list[RefusedRow], always=False)


class ValueWarning(TypedDict):
    """A value of the request that the model does not know, and what it was taken for."""

    row: int
    """The number of the row in the request, counted from 0."""
    column: str
    kind: WarningKind
    taken_for: TakenFor


class Predictions(Record):
    """Answers of one model version; every list has an entry a row.

    Only with `errors="skip"` may an entry be None: in a row that is in `refused`. The types of `probabilities` and
    `ids` leave that out, because all other answers would have to be checked for it.

    Example:
        >>> answer = forge.predict("churn", [{"plan": "basic", "months": 3}])
        >>> answer.predictions, answer.probabilities
        (['yes'], [{'no': 0.31, 'yes': 0.69}])
    """

    model: str
    version: str
    predictions: Annotated[list[Any], Described(type=list[str | float | bool | None])]
    """A number a row for regression and recommendation, a class or a cluster otherwise."""
    probabilities: Annotated[list[dict[str, float]] | None, Described(type=list[dict[str, float] | None] | None)]
    """Class to probability; None for regression."""
    ids: Annotated[list[str], Described(type=list[str | None])]
    """Under these, the true labels can come back."""
    recommendations: Annotated[
        list[list[RecommendedItem] | None] | None,
        Described("Of recommenders: in a row whose item is null, the items to show its user, best first"),
    ] = None
    explanations: Annotated[list[Explanation] | None, EXPLAINED] = None
    """Where the request asks for them."""
    warnings: Annotated[
        list[ValueWarning], Described("Values that the model does not know, the first 1,000 of them by row")
    ] = field(default_factory=list)
    warning_count: Annotated[int, Described("How many such values the request has")] = 0
    refused: Annotated[list[RefusedRow] | None, REFUSED] = None
    """With `errors="skip"`, the rows without an answer: their entry in every other list is None."""
