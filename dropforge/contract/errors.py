"""The tree of exceptions: every error that this project raises on purpose, by who can mend it.

DropforgeError
├── CallerError            the caller of a command, of the SDK or of the API can mend it
│   ├── Fault                  dropforge.client: a command or a call of the SDK failed
│   │   └── ApiFault           the API refused a request
│   ├── InputFault             dropforge.inference: a prediction request cannot be answered
│   ├── NotFound               Catalog: nothing has this name
│   ├── WrongQuery             Catalog: a query parameter is wrong
│   ├── Refused                the live pointer cannot be moved as requested
│   ├── Refusal                embedded cloud: SageMaker would refuse the job's request
│   ├── SettingFault           a setting of the deployment cannot be used
│   └── ServeFault             `dropforge serve` cannot start as called
├── OwnerError             the owner of the data or of its spec can mend it
│   ├── DataFault              the data set cannot be used
│   ├── CsvFault               a row of delimited text cannot be read
│   ├── PictureFault           a file is not a readable picture
│   ├── SpecFault              `spec.yaml` asks for what cannot be
│   ├── NameFault              an S3 key or a model's name is not one of ours
│   └── JobFault               the training job cannot train on its input
└── ServiceError           the service itself is at fault; its operators can mend it
    ├── ModelFault             a model file cannot be served
    │   └── NotFinite          a model's answer is NaN or infinite
    ├── ParityFault            the exported model answers differently from the trained one
    ├── EvidenceFault          a run's files do not hold what Judge needs
    ├── ArtifactFault          a stored file is missing or has changed
    ├── RegistryFault          the registry lacks a row, or others keep changing it
    ├── TableFault             a DynamoDB table answers what it should not
    ├── DocumentError          a stored document cannot be read
    ├── EnvironmentFault       a function's environment lacks a setting
    ├── ServiceFault           an AWS service refused a request of the light clients
    ├── ConnectionFault        the connection to an AWS service broke
    ├── TransferFault          embedded cloud: a training job's files could not be moved
    └── CloudFault             embedded cloud: it cannot start or deploy

Each class is defined next to the code that raises it. Many also keep the built-in base that they have always had (such
as `ValueError`), so that existing `except` clauses still catch them.
"""

from __future__ import annotations


class DropforgeError(Exception):
    """Base of every error that Dropforge raises on purpose.

    >>> from dropforge.client import Dropforge
    >>> from dropforge.contract.errors import DropforgeError
    >>> try:
    ...     Dropforge().drop("houses.csv", target="prise")
    ... except DropforgeError as error:
    ...     print(error)
    """


class CallerError(DropforgeError):
    """An error that the caller of a command, of the SDK or of the API can mend."""


class OwnerError(DropforgeError):
    """An error that the owner of the data or of its spec can mend."""


class ServiceError(DropforgeError):
    """An error of the service itself."""
