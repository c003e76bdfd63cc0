"""A cloud in memory: two buckets, the registry, a topic with a queue behind it, and the steps.

Each call of AWS is atomic here, as it is there, so that threads may meet in the registry; and the answer of any call
can be lost after the call was done.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws
from moto.server import ThreadedMotoServer

from dropforge.contract import names
from dropforge.contract.ids import run_id
from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.spec import Spec
from lambdas.api.predict import handler as predict
from lambdas.common import aws
from lambdas.common.aws_client import clients
from lambdas.common.registry import Registry
from lambdas.pipeline.claim.handler import handle as claim
from lambdas.pipeline.judge.handler import handle as judge
from lambdas.pipeline.notify.handler import handle as notify
from lambdas.pipeline.promote.handler import handle as promote
from lambdas.pipeline.register.handler import handle as register
from lambdas.pipeline.reroute.handler import handle as reroute
from tests.serving.little import little, trained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from dropforge.contract.models import Key

HANDLERS = {
    "claim": claim, "reroute": reroute, "judge": judge, "register": register, "promote": promote, "notify": notify,
}  # fmt: skip
NOWHERE = Lineage("drops", "datasets/flowers/a.csv", "v1", 10, "sha256-x", "trainer:1")
NAMESPACE = "Dropforge-tests"
EVENTS = Path(__file__).parent / "events"
CLIENTS = (aws.s3, aws.dynamodb, aws.sns, aws.cloudwatch, aws.stepfunctions, aws.functions)
WRITES = ("PutObject", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "Publish")


def items_read(operation: str, answer: Any) -> int | None:
    """How many items a call of DynamoDB read, those that a filter left out among them; None for other calls."""
    if operation == "Query":
        return int(answer["ScannedCount"])
    if operation == "GetItem":
        return 1
    if operation == "BatchGetItem":
        return sum(len(items) for items in answer["Responses"].values())
    return None


@dataclass
class Line:
    """The wire between functions and AWS: counts the writes and the reads, and loses the answer of some."""

    lose: Callable[[str, int], bool] = lambda _operation, _count: False
    calls: int = 0
    fails: Callable[[int], bool | None] = lambda _call: None
    """Whether the call of this number fails: True after it was done, False before, None not at all."""
    writes: int = 0
    reads: list[int] = field(default_factory=list)
    """Items of every read of DynamoDB, in the order of the reads."""
    lock: Any = field(default_factory=threading.Lock)
    ended: set[str] = field(default_factory=set)
    """Executions that have ended; all others run."""
    started: dict[str, Any] = field(default_factory=dict)
    """The input of every started execution, by its name, which is also its ARN here."""

    def call(self, real: Any, client: Any, operation: str, arguments: Any) -> Any:
        """Does the real call, one at a time; then gives its answer, or loses it."""
        self.calls += 1
        if operation == "DescribeExecution":
            return {"status": "FAILED" if arguments["executionArn"] in self.ended else "RUNNING"}
        if operation == "ListExecutions":
            running = [name for name in self.started if name not in self.ended]
            of_machine = [name for name in running if self.started[name]["machine"] == arguments["stateMachineArn"]]
            return {"executions": [{"name": name} for name in of_machine]}
        if operation == "StartExecution":
            return self.start(**arguments)
        with self.lock:
            fails = self.fails(self.calls)
            if fails is not False:
                answer = real(client, operation, arguments)
            if fails is not None:
                raise ReadTimeoutError(endpoint_url="https://aws.example", error=f"{operation} failed")
            if (count := items_read(operation, answer)) is not None:
                self.reads.append(count)
            if operation not in WRITES:
                return answer
            self.writes += 1
            lost = self.lose(operation, self.writes)
        if lost:
            raise ReadTimeoutError(endpoint_url="https://aws.example", error=f"the answer of {operation} was lost")
        return answer

    def start(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        """Step Functions gives a name once; the same start again, while it runs, is the same execution."""
        if name in self.started and name in self.ended:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.started[name] = {**json.loads(input), "machine": stateMachineArn}
        return {"executionArn": name}

    @contextmanager
    def failing(self, from_call: int, done: bool) -> Iterator[None]:
        """Every call fails from the next but `from_call - 1` on, after it was done or before."""
        first = self.calls + from_call
        self.fails = lambda call: done if call >= first else None
        try:
            yield
        finally:
            self.fails = lambda _call: None


@dataclass
class Cloud:
    """What a test does with the cloud."""

    s3: Any
    sqs: Any
    queue: str
    registry: Registry
    line: Line
    dropped: int = 0
    """Number of drops, in S3's order."""

    def drop(self, key: str, body: bytes = b"a,b\n1,2\n", **more: Any) -> dict[str, Any]:
        """Drops an object; the input of Claim, but for the execution."""
        version = self.s3.put_object(Bucket="drops", Key=key, Body=body, **more)["VersionId"]
        self.dropped += 1
        sequencer = f"{self.dropped:018X}"
        return {"bucket": "drops", "key": key, "version": version, "size": len(body), "sequencer": sequencer}

    def claim(self, key: str, body: bytes = b"a,b\n1,2\n", execution: str = "exe-1", **more: Any) -> dict[str, Any]:
        """Drops and claims."""
        return claim({**self.drop(key, body, **more), "execution": execution}, None)

    def train(self, task: str, model: str, run: str, **changes: Any) -> str:
        """Leaves what a training job would have left; its prefix."""
        prefix = f"{names.RunFiles(run).training}job/output/model"
        spec = changes.pop("spec", Spec())
        files = changes.pop("files", None) or trained(little(task, run, model), **changes)
        for name, body in files.items():
            self.s3.put_object(Bucket="artifacts", Key=f"{prefix}/{name}", Body=body)
        plan = Plan(run, model, "outcome", "regression", DataFormat("csv"), NOWHERE, spec)
        key = f"{names.RunFiles(run).plan}{names.PLAN_FILE}"
        self.s3.put_object(Bucket="artifacts", Key=key, Body=json.dumps(plan.to_json()).encode())
        return f"s3://artifacts/{prefix}/"

    def judged(self, task: str, run: str, model: str = "flowers", **changes: Any) -> dict[str, Any]:
        """Trains and judges."""
        uri = self.train(task, model, run, **changes)
        job = {"job": "dropforge-job", "instance_type": "ml.m5.xlarge", "billable_seconds": 90}
        return judge({"run": run, "model": model, "artifacts_uri": uri, **job}, None)

    def serve(self, task: str, model: str, key: str = "", body: bytes = b"") -> str:
        """The whole way to a live model; its run."""
        run: str = self.claim(key or f"datasets/{model}/a.csv", body or f"{model} {task}".encode())["run"]
        answer = self.judged(task, run, model)
        version = register({"run": run, "model": model, **answer}, None)["version"]
        promoted = promote({"run": run, "model": model, "version": version}, None)
        assert promoted["outcome"] == "promoted", (answer, promoted)
        return run

    def messages(self) -> list[dict[str, Any]]:
        """What was published since the last look: subject, text and attributes."""
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in found]

    def file(self, run: str, name: str) -> bytes:
        """A file of a run."""
        return bytes(self.s3.get_object(Bucket="artifacts", Key=names.RunFiles(run).key(name))["Body"].read())


def forget() -> None:
    """Clients and loaded models are made anew."""
    for client in CLIENTS:
        client.cache_clear()
    predict.models.cache_clear()


@cache
def server() -> str:
    """The same memory over HTTP, for those who ask without boto3; it ends with the process."""
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    return f"http://{host}:{port}"


def key_schema(partition: str, sort: str) -> list[Any]:
    """The key of a table or an index."""
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def make_table() -> None:
    """The registry, as the infrastructure makes it."""
    attributes = ("pk", "sk", "listing", "listed_by", "model")
    indexes = {"listing": "listing", "listing-of-model": "model"}
    boto3.client("dynamodb").create_table(
        TableName="registry",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=key_schema("pk", "sk"),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        GlobalSecondaryIndexes=[
            {"IndexName": name, "KeySchema": key_schema(key, "listed_by"), "Projection": {"ProjectionType": "ALL"}}
            for name, key in indexes.items()
        ],
    )


def make_cloud(line: Line) -> Cloud:
    """Buckets, table, topic and queue."""
    s3, sns, sqs = boto3.client("s3"), boto3.client("sns"), boto3.client("sqs")
    for bucket in ("drops", "artifacts"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    make_table()
    topic = sns.create_topic(Name="topic")["TopicArn"]
    queue = sqs.create_queue(QueueName="people")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Cloud(s3, sqs, queue, Registry("registry"), line)


@contextmanager
def cloud_in_memory(patch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty cloud, with the environment that the functions find there."""
    settings = {"REGISTRY": "registry", "ARTIFACTS": "artifacts", "IMAGE": "trainer:1", "NAMESPACE": NAMESPACE}
    settings |= {
        "DROPS": "drops",
        "MACHINE": "trains",
        "BATCH_MACHINE": "predicts",
        "ROLLOUTS": "rollouts",
        "PLACES": "",
        "MOST_COST": "",
        "PRICES": "",
    }
    settings["TOPIC"] = "arn:aws:sns:us-east-1:123456789012:topic"
    for name, value in {**settings, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        patch.setenv(name, value)
    patch.delenv("AWS_ENDPOINT_URL", raising=False)
    line, real = Line(), BaseClient._make_api_call
    patch.setattr(BaseClient, "_make_api_call", lambda *call: line.call(real, *call))
    patch.setattr(clients, "custom_endpoint", lambda _service: server())
    with mock_aws():
        forget()
        made = make_cloud(line)
        line.writes = 0
        yield made
    forget()


def delete_row(key: Key) -> None:
    """The registry loses a row."""
    keys = {name: {"S": text} for name, text in key.to_item().items()}
    boto3.client("dynamodb").delete_item(TableName="registry", Key=keys)


def event(name: str, **values: str) -> Any:
    """A golden event, `{{name}}` replaced by the values."""
    text = (EVENTS / f"{name}.json").read_text()
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    return json.loads(text)


def run_of(dropped: dict[str, Any]) -> str:
    """The run that a drop starts."""
    return run_id(dropped["bucket"], dropped["key"], dropped["version"])
