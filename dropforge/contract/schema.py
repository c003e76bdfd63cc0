"""What a model takes and gives: columns with a kind, the task, and the card that travels inside the ONNX file."""

from __future__ import annotations

from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dropforge.contract.documents import Document, Record

if TYPE_CHECKING:
    from collections.abc import Callable

TableKind = Literal["number", "category", "boolean", "date"]
"""The kinds of a table's columns."""

Kind = Literal["number", "category", "boolean", "date", "image"]
Task = Literal["regression", "binary", "multiclass", "recommendation", "clustering"]
Order = Literal["month-first", "day-first"]
LabelType = Literal["text", "integer", "number", "boolean"]

CARD_KEY = "dropforge.card"
"""Key of the model card in the ONNX file's metadata."""

BACKGROUND_KEY = "dropforge.background"
"""Key of the background in the ONNX file's metadata; models of tables alone have one."""

PREDICTION = "prediction"
"""ONNX output: float32 [N, 1] for regression and recommendation (the rating), string [N, 1] (the class, or the cluster)
otherwise."""

PROBABILITIES = "probabilities"
"""ONNX output of classifiers: float32 [N, classes], in the card's order of classes; memberships of clusters so too."""

ITEMS = "items"
"""ONNX output of recommenders: string [N, K], the items to show a row's user, best first; empty texts in a row that
names an item."""

SCORES = "scores"
"""ONNX output of recommenders: float32 [N, K], the rating that each of `items` is expected to get."""

FEATURES = "features"
"""ONNX output of clusterings: float32 [N, F], the point that a row is, in the space that distances are measured in."""

INPUT_TYPES = {"number": "float32", "category": "string", "boolean": "string", "date": "string",
               "image": "uint8"}  # fmt: skip
"""The ONNX element type of an input of each kind. A missing value is NaN, or the empty text; a picture never is."""

IMAGE = "image"
"""The one column of an image model: in a request the base64 of a file, in the graph its decoded pixels."""


class DateRule(Record):
    """How the dates of one column are read, by `dropforge.contract.dates`."""

    slashes: Order | None = None
    """What `05/03/2024` is: month or day first. None in a column that has no such date: then only those are read that
    can be read in one way."""


class Column(Record):
    """One column that the model reads; its ONNX input has the same name and shape [N, 1] (an image: [N, H, W, C])."""

    name: str
    kind: Kind
    dates: DateRule | None = None
    """Of a column of dates, how a caller's dates become the model's ISO dates in UTC. Models of before this rule have
    none: they read the spelling of their own data alone."""


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
    image: ImageInput | None = None
    """For image models alone: how the column `image` is read."""
    likeliest: bool = False
    """Of classifiers: whether the prediction is always the class of the largest probability, the first of equals. Who
    has the probabilities then need not ask for texts as well, which for one row takes as long as the graph."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The names of the columns of numbers."""
        return tuple(column.name for column in self.columns if column.kind == "number")

    @property
    def all_numbers(self) -> bool:
        """Whether every column is a number."""
        return len(self.numbers) == len(self.columns)

    @cached_property
    def pick(self) -> Callable[[Any], Any]:
        """Takes the values of a record in the order of the columns: a tuple, or of one column the value itself."""
        return itemgetter(*self.names)


class Background(Document):
    """What explanations compare a row with: some rows like those of training, none of them a person's."""

    SCHEMA: ClassVar[str] = "dropforge.background/1"

    columns: dict[str, tuple[Any, ...]]
    """Every column of the card to its values, equally many: numbers or texts, None for a missing value."""
