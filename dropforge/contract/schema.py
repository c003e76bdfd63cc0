"""What a model takes and gives: columns with a kind, the task, and the card that travels inside the ONNX file.

`KINDS` says once what all parts must know of each kind of column. A table that is typed `ByKind` has an entry for every
one of them: mypy names the tables and the `match` statements that lack one. `dropforge.contract.tasks` does the same
for tasks.
"""

from __future__ import annotations

from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dropforge.contract.documents import Document, Record
from dropforge.contract.personal import PersonalColumn
from dropforge.contract.tasks import PREDICTION, PROBABILITIES, TASKS, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Generic, TypedDict, TypeVar

    T = TypeVar("T")

    class ByKind(TypedDict, Generic[T]):
        """A table with one entry for each `Kind`."""

        number: T
        category: T
        boolean: T
        date: T
        image: T


TableKind = Literal["number", "category", "boolean", "date"]
"""The kinds of a table's columns."""

Kind = Literal[TableKind, "image"]
"""The kinds of all columns: `KINDS` describes them."""

Element = Literal["float32", "float64", "string", "uint8"]
"""The element types of ONNX inputs."""

Order = Literal["month-first", "day-first"]
"""What stands first between slashes."""

LabelType = Literal["text", "integer", "number", "boolean"]
LONGEST_TEXT = 10_000
"""Characters of a text in a request; data with longer ones in a column that the model would read are rejected."""

CREATED_KEY = "dropforge.created"
SCORES_KEY = "dropforge.scores"
RUNTIME_KEY = "dropforge.onnxruntime"
"""Keys of metadata for readers that have the file alone: when it was made, how it scored, the oldest onnxruntime."""

CARD_KEY = "dropforge.card"
"""Key of the model card in the ONNX file's metadata."""

BACKGROUND_KEY = "dropforge.background"
"""Key of the background in the ONNX file's metadata; models of tables alone have one."""

KNOWN_KEY = "dropforge.known"
"""Key of the texts that the graph knows in the ONNX file's metadata; files of before they were written have none."""


class KindFacts:
    """What all parts know of a kind of column; a plain class, because a cold start pays for every other.

    Args:
        element: the element type of the column's ONNX input; `Column.element` has that of a column.
        gap: how that input writes a missing value; None where a value never is missing.
    """

    __slots__ = ("element", "gap")

    def __init__(self, element: Element, *, gap: float | str | None) -> None:
        self.element = element
        self.gap = gap


KINDS: ByKind[KindFacts] = {
    "number": KindFacts("float32", gap=float("nan")),
    "category": KindFacts("string", gap=""),
    "boolean": KindFacts("string", gap=""),
    "date": KindFacts("string", gap=""),
    "image": KindFacts("uint8", gap=None),
}
"""The kinds of columns. What the trainer alone knows of them is in `training_container.kinds`."""


IMAGE = "image"
"""The one column of an image model: in a request the base64 of a file, in the graph its decoded pixels."""


class DateRule(Record):
    """How the dates of one column are read, by `dropforge.contract.dates`."""

    slashes: Order | None = None
    """What `05/03/2024` is: month or day first. None in a column that has no such date: then only those are read that
    can be read in one way."""
    year_alone: bool = False
    """Of a generalised column, whether the model reads 1 January of a date's year instead of the date."""


class NumberRule(Record):
    """How the numbers of one column are written as text, by `dropforge.contract.numbers`; JSON numbers need no rule."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ","] = ""
    """What may stand between thousands, beside spaces and apostrophes; empty where the file has nothing else."""
    unit: str = ""
    """What may stand before or behind a number, such as `$` or `kg`."""


class Column(Record):
    """One column that the model reads; its ONNX input has shape [N, 1] (an image: [N, H, W, C]) and the same name, but
    for what `ModelCard.inputs` says."""

    name: str
    kind: Kind
    dates: DateRule | None = None
    """Of a column of dates, how a caller's dates become the model's ISO dates in UTC. Models of before this rule have
    none: they read the spelling of their own data alone."""
    numbers: NumberRule | None = None
    """Of a column of numbers, how its texts are read. Models of before this rule have none: of these, the values of a
    request decide what commas mean."""
    missing: tuple[str, ...] = ()
    """Texts of a column of numbers or dates, beside the usual markers, that training took as missing values, such as
    `unknown`."""
    width: int = 0
    """Of a column of zero-padded codes that all have so many digits: a whole number in a request is padded to it. 0 in
    every other column."""
    double: bool = False
    """Of a column of numbers, whether its ONNX input is float64, because float32 would round away what its values
    differ by (2.4e9 ± 40)."""
    prefix: int = 0
    """Of a generalised column of texts, how many of their first characters the model reads. 0 in every other column."""

    @property
    def element(self) -> Element:
        """The element type of its ONNX input."""
        return "float64" if self.double else KINDS[self.kind].element

    @property
    def takes_numbers(self) -> bool:
        """Whether its ONNX input holds numbers, and a request JSON numbers."""
        return KINDS[self.kind].element == "float32"


class ImageInput(Record):
    """How a picture's file becomes the model's input, uint8 [height, width, channels]: `docs/images.md`."""

    height: int
    width: int
    channels: Literal[1, 3]
    """1 for greyscale, 3 for red, green, blue."""
    resize: Literal["stretch-bilinear"] = "stretch-bilinear"
    """To height × width without cropping, by Pillow's BILINEAR, which averages over what it shrinks."""


class ModelCard(Document):
    """What a caller must know to use the file: it is inside the file, so the two cannot be parted."""

    SCHEMA: ClassVar[str] = "dropforge.card/1"

    model: str
    run: str
    task: Task
    target: str
    label_type: LabelType
    """The type of the target in the data: a class `3` of an integer column is answered as 3, not as '3'."""
    classes: tuple[str, ...]
    """The classes (or clusters) in the order of the probabilities; empty for regression and recommendation. For binary
    the second is the positive."""
    columns: tuple[Column, ...]
    """In the order of the file; of a recommender the user, then the item."""
    ignored: tuple[str, ...] = ()
    """Columns of the data set that the model does not read (target, ids, constants): allowed in a request."""
    masked: tuple[str, ...] = ()
    """Sensitive columns: never captured, never shown in a report."""
    personal: tuple[PersonalColumn, ...] = ()
    """What became of each column of the data that looks like personal data; of those left out, none is in the file."""
    image: ImageInput | None = None
    """For image models alone: how the column `image` is read."""
    likeliest: bool = False
    """Of classifiers: whether the prediction is always the class of the largest probability, the first of equals. Who
    has the probabilities then need not ask for texts as well, which for one row takes as long as the graph."""
    strict: bool = False
    """Whether a request with a text that the model does not know is refused, unless the request says otherwise."""
    split: str = ""
    """By what a table's rows were split: `rows`, `column:NAME`, `group:NAME` or `time:NAME`. Empty for other data, and
    in older files, whose rows were split by content."""
    encoding: str = ""
    """What `encoding:` named when the model was trained: text that is not UTF-8 is read in it. Empty if nothing did."""
    sheet: str | int | None = None
    """What `sheet:` named when the model was trained: a workbook that has such a sheet is read there."""
    capture_rate: float = 1.0
    """The share of the requests that is captured, from 0 to 1."""
    capture_days: int = 30
    """How long captures are kept: one of `captures.KEEP_DAYS`."""

    @cached_property
    def rewritten(self) -> tuple[Column, ...]:
        """The columns of which some values are read as others: as padded codes, or as missing."""
        return tuple(column for column in self.columns if column.width or column.missing)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def inputs(self) -> dict[str, str]:
        """The name of each column to that of its ONNX input, which is another one where the graph has such an output.

        A graph cannot have an input and an output of one name. Callers never see the input's name.
        """
        outputs, inputs = (PREDICTION, PROBABILITIES, *TASKS[self.task].outputs), {}
        for name in self.names:
            free = name
            while free in outputs or (free != name and free in self.names):
                free += "_"
            inputs[name] = free
        return inputs

    @cached_property
    def renames(self) -> bool:
        """Whether a column's ONNX input has another name than the column."""
        return any(name != free for name, free in self.inputs.items())

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The names of the columns of numbers."""
        return tuple(column.name for column in self.columns if column.takes_numbers)

    @property
    def all_numbers(self) -> bool:
        """Whether every column is a number."""
        return len(self.numbers) == len(self.columns)

    @cached_property
    def floats(self) -> tuple[str, ...]:
        """The names of the columns whose ONNX input is float32."""
        return tuple(column.name for column in self.columns if column.element == "float32")

    @cached_property
    def doubles(self) -> frozenset[str]:
        """The names of the columns whose ONNX input is float64."""
        return frozenset(column.name for column in self.columns if column.double)

    @property
    def all_floats(self) -> bool:
        """Whether every ONNX input is float32, so that one matrix can hold all of them."""
        return len(self.floats) == len(self.columns)

    @cached_property
    def pick(self) -> Callable[[Any], Any]:
        """Takes the values of a record in the order of the columns: a tuple, or of one column the value itself."""
        return itemgetter(*self.names)


class Background(Document):
    """What explanations compare a row with: some rows like those of training, none of them a person's."""

    SCHEMA: ClassVar[str] = "dropforge.background/1"

    columns: dict[str, tuple[Any, ...]]
    """Every column of the card to its values, equally many: numbers or texts, None for a missing value."""
