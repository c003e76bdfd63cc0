"""Strict mode: a request counts only if it is signed with the secret of its key, whichever key and service it names."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import botocore.auth
import pytest
import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from dropforge.embedded import process
from dropforge.embedded.home import Home
from dropforge.embedded.keys import credentials, root_secret
from dropforge.embedded.settings import ACCOUNT, Address, server_environment
from dropforge.embedded.tls import certificate
from tests.embedded.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest

REGION = "us-east-1"
QUERY = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True)
class Call:
    """A request that its service answers if it is signed."""

    service: str
    method: str = "POST"
    path: str = "/"
    body: bytes = b"{}"
    target: str = ""
    kind: str = "application/x-amz-json-1.1"

    @property
    def headers(self) -> dict[str, str]:
        return {"content-type": self.kind, **({"x-amz-target": self.target} if self.target else {})}


CALLS = {
    "read": Call("s3", "GET", "/store/kept", b""),
    "write": Call("s3", "PUT", "/store/written", b"a,b\n1,2\n"),
    "delete": Call("s3", "DELETE", "/store/kept", b""),
    "api": Call("execute-api", "POST", "/_aws/execute-api/API/live/models", b'{"rows": []}', kind="application/json"),
    "dynamodb": Call("dynamodb", target="DynamoDB_20120810.ListTables", kind="application/x-amz-json-1.0"),
    "states": Call("states", target="AWSStepFunctions.ListStateMachines", kind="application/x-amz-json-1.0"),
    "events": Call("events", target="AWSEvents.ListRules"),
    "logs": Call("logs", target="Logs_20140328.DescribeLogGroups"),
    "kms": Call("kms", target="TrentService.ListKeys"),
    "ecr": Call("ecr", target="AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"),
    "ssm": Call("ssm", target="AmazonSSM.DescribeParameters"),
    "secretsmanager": Call("secretsmanager", target="secretsmanager.ListSecrets"),
    "sqs": Call("sqs", target="AmazonSQS.ListQueues", kind="application/x-amz-json-1.0"),
    "sns": Call("sns", body=b"Action=ListTopics&Version=2010-03-31", kind=QUERY),
    "sts": Call("sts", body=b"Action=GetCallerIdentity&Version=2011-06-15", kind=QUERY),
    "iam": Call("iam", body=b"Action=ListUsers&Version=2010-05-08", kind=QUERY),
    "cloudformation": Call("cloudformation", body=b"Action=ListStacks&Version=2010-05-15", kind=QUERY),
    "cloudwatch": Call("monitoring", body=b"Action=ListMetrics&Version=2010-08-01", kind=QUERY),
    "lambda": Call("lambda", "GET", "/2015-03-31/functions/", b""),
    "apigateway": Call("apigateway", "GET", "/restapis", b""),
    "reset": Call("s3", "POST", "/_ministack/reset", b""),
    "settings": Call("s3", "POST", "/_ministack/config", b"{}"),
    "code": Call("s3", "GET", "/_ministack/lambda-code/teller", b""),
}
OWN_PATHS = ("reset", "settings", "code")
"""What MiniStack answers beside AWS; nobody needs it here, so no signed call is tried."""


REFUSED = (400, 401, 403)


class Strict:
    """A cloud in strict mode with a user, a role and a function, and whatever an attacker could sign with."""

    def __init__(self, home: Home, address: Address) -> None:
        self.home, self.address = home, address
        self.pool = urllib3.PoolManager(ca_certs=str(home.tls / "server.crt"))
        self.root = Credentials("test", root_secret(home))
        self.keys: dict[str, Credentials] = {"root": self.root, "account": Credentials(ACCOUNT, root_secret(home))}

    def client(self, service: str, secret: str = "") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.address.url,
            region_name=REGION,
            aws_access_key_id=self.root.access_key,
            aws_secret_access_key=secret or self.root.secret_key,
            verify=str(self.home.tls / "server.crt"),
        )

    def make(self) -> None:
        s3, iam = self.client("s3"), self.client("iam")
        s3.create_bucket(Bucket="store")
        s3.put_object(Bucket="store", Key="kept", Body=b"kept")
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        who = {"AWS": ACCOUNT, "Service": "lambda.amazonaws.com"}
        trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}]})
        everything = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=everything)
        iam.create_user(UserName="ada")
        iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=everything)
        made = iam.create_access_key(UserName="ada")["AccessKey"]
        self.keys["user"] = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
        lent = self.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
        self.keys["role"] = Credentials(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
        self.keys["function"] = self._function_keys(role)
        self._make_api()

    def _function_keys(self, role: str) -> Credentials:
        """The keys that a function finds in its environment."""
        client = self.client("lambda")
        client.create_function(
            FunctionName="teller", Runtime="python3.12", Role=role, Handler="tell.all", Code={"ZipFile": TELLER}
        )
        told = json.loads(client.invoke(FunctionName="teller")["Payload"].read())
        return Credentials(told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"], told["AWS_SESSION_TOKEN"])

    def _make_api(self) -> None:
        client = self.client("apigateway")
        self.api = client.create_rest_api(name="mock")["id"]
        root = client.get_resources(restApiId=self.api)["items"][0]["id"]
        models = client.create_resource(restApiId=self.api, parentId=root, pathPart="models")["id"]
        which = {"restApiId": self.api, "resourceId": models, "httpMethod": "POST"}
        client.put_method(**which, authorizationType="AWS_IAM")
        client.put_integration(**which, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        client.put_method_response(**which, statusCode="200")
        client.put_integration_response(**which, statusCode="200")
        client.create_deployment(restApiId=self.api, stageName="live")

    def url(self, call: Call) -> str:
        return f"{self.address.url}{call.path.replace('API', self.api)}"

    def signed(self, call: Call, key: Credentials, sent: bytes | None = None, age: timedelta = timedelta()) -> int:
        """The status of the call, signed with `key` some time ago, with another body than the signed one if given."""
        request = AWSRequest(call.method, self.url(call), headers=call.headers, data=call.body)
        signer = S3SigV4Auth if call.service == "s3" else SigV4Auth
        if call.service == "s3":
            request.context["payload_signing_enabled"] = True
        with ago(age):
            signer(key, call.service, REGION).add_auth(request)
        return self.send(call, dict(request.headers), sent)

    def presigned(self, call: Call, key: Credentials, seconds: int, age: timedelta = timedelta()) -> str:
        request = AWSRequest(call.method, self.url(call))
        with ago(age):
            S3SigV4QueryAuth(key, call.service, REGION, expires=seconds).add_auth(request)
        return str(request.url)

    def fetched(self, address: str) -> int:
        return int(self.pool.request("GET", address, retries=False).status)

    def send(self, call: Call, headers: dict[str, str], sent: bytes | None = None) -> int:
        body = call.body if sent is None else sent
        return int(self.pool.request(call.method, self.url(call), headers=headers, body=body, retries=False).status)


def archive() -> bytes:
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr("tell.py", "import os\n\ndef all(event, context):\n    return dict(os.environ)\n")
    return body.getvalue()


TELLER = archive()


def ago(age: timedelta) -> Any:
    """Lets botocore sign as it did some time ago."""
    moment = datetime.now(UTC).replace(tzinfo=None) - age
    return mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    home, address = Home(tmp_path_factory.mktemp("signatures")), Address(free_port(), strict=True)
    certificate(home.tls)
    server = process.start(home, address)
    made = Strict(home, address)
    try:
        made.make()
        yield made
    finally:
        process.stop(server)


def wrong(key: Credentials) -> Credentials:
    return Credentials(key.access_key, "wrong", key.token)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in (*OWN_PATHS, "delete")])
def test_every_service_answers_every_key_that_signs_correctly(strict: Strict, name: str) -> None:
    for owner, key in strict.keys.items():
        assert strict.signed(CALLS[name], key) == 200, owner


@pytest.mark.parametrize("name", CALLS)
def test_no_service_accepts_another_secret(strict: Strict, name: str) -> None:
    for owner, key in strict.keys.items():
        other = Credentials(key.access_key, "wrong", key.token)
        assert strict.signed(CALLS[name], other) in REFUSED, owner


@pytest.mark.parametrize("name", CALLS)
def test_no_service_accepts_an_old_signature(strict: Strict, name: str) -> None:
    for owner, key in strict.keys.items():
        assert strict.signed(CALLS[name], key, age=timedelta(hours=1)) in REFUSED, owner


@pytest.mark.parametrize("name", CALLS)
def test_no_service_accepts_another_body(strict: Strict, name: str) -> None:
    call = CALLS[name]
    for owner, key in strict.keys.items():
        assert strict.signed(call, key, sent=call.body + b" ") in REFUSED, owner


@pytest.mark.parametrize("name", CALLS)
def test_no_service_answers_without_a_signature(strict: Strict, name: str) -> None:
    assert strict.send(CALLS[name], CALLS[name].headers) in REFUSED


def test_temporary_keys_need_their_token(strict: Strict) -> None:
    for owner in ("role", "function"):
        key = strict.keys[owner]
        assert strict.signed(CALLS["read"], Credentials(key.access_key, key.secret_key)) in REFUSED
        assert strict.signed(CALLS["read"], Credentials(key.access_key, key.secret_key, "another")) in REFUSED


def test_the_keys_of_a_function_do_not_follow_from_its_name(strict: Strict) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:teller"
    digest = hashlib.sha256(f"{arn}:arn:aws:iam::{ACCOUNT}:role/worker".encode()).hexdigest()
    guessed = [hashlib.sha256(f"{word}:{digest}".encode()).hexdigest() for word in ("secret", "token")]
    key = Credentials(f"ASIA{digest[:16].upper()}", *guessed)
    assert key.access_key == strict.keys["function"].access_key  # or the guess would prove nothing
    assert strict.signed(CALLS["read"], key) in REFUSED


@pytest.mark.parametrize("owner", ["root", "user", "role", "function"])
def test_presigned_addresses(strict: Strict, owner: str) -> None:
    key, call = strict.keys[owner], CALLS["read"]
    assert strict.fetched(strict.presigned(call, key, 60)) == 200
    assert strict.fetched(strict.presigned(call, key, 60, age=timedelta(seconds=61))) in REFUSED
    assert strict.fetched(strict.presigned(call, Credentials(key.access_key, "wrong", key.token), 60)) in REFUSED
    assert strict.fetched(strict.presigned(call, key, 60).replace("/store/kept", "/store/written")) in REFUSED
    assert strict.fetched(strict.presigned(call, key, 60).replace("Expires=60", "Expires=6000")) in REFUSED


def test_two_signatures_are_one_too_many(strict: Strict) -> None:
    """One of them would be verified and the other one obeyed."""
    address = strict.presigned(CALLS["read"], strict.keys["user"], 60)
    request = AWSRequest("GET", f"{strict.address.url}/store/kept")
    S3SigV4Auth(strict.keys["user"], "s3", REGION).add_auth(request)
    assert strict.pool.request("GET", address, headers=dict(request.headers)).status in REFUSED


def test_an_upload_that_changes_on_its_way_is_refused(strict: Strict) -> None:
    """The SDK signs no hash of the body over TLS: a checksum at its end protects it."""
    s3 = strict.client("s3")

    def change(request: AWSPreparedRequest, **_: Any) -> None:
        request.body = BytesIO(request.body.read().replace(b"kept", b"lost"))

    s3.meta.events.register("before-send.s3.PutObject", change)
    with pytest.raises(ClientError):
        s3.put_object(Bucket="store", Key="changed", Body=BytesIO(b"kept"))
    assert "Contents" not in s3.list_objects_v2(Bucket="store", Prefix="changed")


def test_refusals_have_the_form_that_clients_read(strict: Strict) -> None:
    for service, call in {"s3": "list_buckets", "sts": "get_caller_identity", "dynamodb": "list_tables"}.items():
        with pytest.raises(ClientError, match="does not match the signature"):
            getattr(strict.client(service, secret="wrong"), call)()


@pytest.mark.parametrize("mode", [True, False])
def test_the_root_secret_is_random_and_its_owners_alone(tmp_path: Path, mode: bool) -> None:
    """In both modes: what a program learned to send to one cloud opens no other."""
    home, other = Home(tmp_path / "home"), Home(tmp_path / "other")
    environ = server_environment(home, Address(4566, strict=mode), credentials(home), {})
    secret = environ["AWS_SECRET_ACCESS_KEY"]
    assert len(secret) >= 40 and secret == root_secret(home) != root_secret(other)
    assert stat.S_IMODE(home.secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
