"""Which cloud to talk to: the embedded one of this folder when it runs, AWS otherwise.

In this order: the `home` that is asked for (or `DROPFORGE_HOME`); the endpoint in `AWS_ENDPOINT_URL`; `.dropforge/` of
the current folder or a parent, when its server answers; the stack's outputs in the AWS account that the credentials
open.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from dropforge import __version__
from dropforge.client import embedded
from dropforge.client.faults import Fault, readable

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

STACK = "Dropforge"
OUTPUTS = ("DropBucket", "ArtifactBucket", "ApiUrl", "ApiId", "StateMachineArn")
NOT_FOUND = (
    "no embedded cloud in this folder and no AWS credentials: start one with `dropforge up`, "
    "or log in to AWS (AWS_PROFILE, `aws sso login`)"
)


@dataclass(frozen=True)
class Connection:
    """One cloud with the stack in it."""

    region: str
    outputs: dict[str, str]
    """The stack's outputs."""
    api_url: str
    """Base of every route, without a slash at the end."""
    home: Path | None = None
    """Folder of the embedded cloud; None on AWS."""
    endpoint_url: str | None = None
    """Where all services answer; None for AWS's own endpoints."""
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    """Keys of the embedded cloud; None where the AWS SDK finds them itself."""
    ca_bundle: str | None = None
    profile: str | None = None

    @classmethod
    def load(
        cls,
        home: str | Path | None = None,
        stack: str | None = None,
        profile: str | None = None,
        region: str | None = None,
    ) -> Connection:
        """The connection that the arguments, the environment and the current folder mean.

        `stack` is the stack's name; None takes `DROPFORGE_STACK`, or else `Dropforge`.

        Raises:
            Fault: no cloud is found, or it does not answer; the message says what to start or set.
        """
        stack = stack or os.environ.get("DROPFORGE_STACK") or STACK
        elsewhere = profile or region  # asks for AWS, whatever runs here
        wanted = home or (None if elsewhere else os.environ.get("DROPFORGE_HOME"))
        if wanted:
            return cls._asked(Path(wanted).expanduser().resolve(), stack)
        place = None if elsewhere else embedded.find_home(Path.cwd())
        found = embedded.running(place) if place else None
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        if place and found and (endpoint is None or _same_server(endpoint, found["endpoint_url"])):
            return cls._of_home(place, found, stack)
        return cls._of_account(place, stack, profile, region, endpoint)

    @classmethod
    def _asked(cls, home: Path, stack: str) -> Connection:
        found = embedded.running(home)
        if found is None:
            raise embedded.not_running(home)
        return cls._of_home(home, found, stack)

    @classmethod
    def _of_home(cls, home: Path, found: dict[str, Any], stack: str) -> Connection:
        """The stack in an embedded cloud; `dropforge up` writes down where its own is."""
        connection = cls(
            region=found["region"],
            outputs=found["outputs"],
            api_url=found["api_url"].rstrip("/"),
            home=home,
            endpoint_url=found["endpoint_url"],
            access_key=found["access_key"],
            secret_key=found["secret_key"],
            ca_bundle=found["ca_bundle"],
        )
        return connection if stack == STACK else connection._with_outputs(stack)

    @classmethod
    def _of_account(
        cls, place: Path | None, stack: str, profile: str | None, region: str | None, endpoint: str | None
    ) -> Connection:
        """The stack in the account; when there is none, a stopped embedded cloud is named too."""
        try:
            with readable("looking for AWS", "AWS"):
                session = boto3.Session(profile_name=profile)
                if session.get_credentials() is None:
                    raise Fault(NOT_FOUND, "no_cloud")
                where = region or os.environ.get("AWS_REGION") or session.region_name
            if where is None:
                raise Fault("no AWS region: set AWS_REGION (for example AWS_REGION=eu-central-1)", "no_region")
            bare = cls(where, {}, "", endpoint_url=endpoint, profile=profile)
            return bare._with_outputs(stack)
        except Fault as fault:
            if place is None:
                raise
            if fault.code == "no_cloud":
                raise embedded.not_running(place) from fault
            hint = f"{fault}; and the embedded cloud in {place} is not running: `dropforge up` starts it"
            raise Fault(hint, fault.code) from fault

    def _with_outputs(self, stack: str) -> Connection:
        """This connection with what the stack says of itself."""
        none = Fault(
            f"no stack {stack!r} in {self.where}: deploy it with `npx cdk deploy`, or set AWS_REGION or --stack",
            "no_stack",
        )
        with readable(f"reading the stack {stack!r}", self.where):
            client = self.client("cloudformation")
            try:
                found = client.describe_stacks(StackName=stack)["Stacks"]
            except client.exceptions.ClientError as fault:
                if fault.response["Error"]["Code"] == "ValidationError":  # what CloudFormation calls a missing stack
                    raise none from fault
                raise
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found[0].get("Outputs", [])} if found else {}
        missing = [name for name in OUTPUTS if name not in outputs]
        if missing:
            raise Fault(f"the stack {stack!r} in {self.where} has no output {missing[0]}: deploy it again", "no_stack")
        url = _at_endpoint(self.endpoint_url, outputs) if self.endpoint_url else outputs["ApiUrl"]
        return replace(self, outputs=outputs, api_url=url.rstrip("/"))

    @property
    def where(self) -> str:
        """The cloud in words."""
        if self.home:
            return f"the embedded cloud at {self.endpoint_url}"
        return f"AWS in {self.region}" + (f" at {self.endpoint_url}" if self.endpoint_url else "")

    @property
    def pace(self) -> float:
        """Seconds between two looks at a run."""
        return 0.3 if self.home else 2.0

    def client(self, service: str) -> Any:
        """A boto3 client for this cloud."""
        return cast("Any", self._session).client(
            service, region_name=self.region, endpoint_url=self.endpoint_url, verify=self.ca_bundle, config=self._config
        )

    def credentials(self) -> ReadOnlyCredentials:
        """The keys to sign with, refreshed when they can be.

        Raises:
            Fault: there are none, or they have expired.
        """
        with readable("signing a request", self.where):
            found = self._session.get_credentials()
            if found is None:
                raise Fault(NOT_FOUND, "no_credentials")
            return found.get_frozen_credentials()

    @cached_property
    def _session(self) -> boto3.Session:
        if self.home is None:
            return boto3.Session(profile_name=self.profile)
        # The user's own profiles and settings have no say in what the embedded cloud is sent.
        nowhere: Any = {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
        core = botocore.session.Session(session_vars=nowhere)
        return boto3.Session(self.access_key, self.secret_key, botocore_session=core)

    @property
    def _config(self) -> Config:
        options: dict[str, Any] = {"user_agent_extra": f"dropforge/{__version__}", "retries": {"mode": "standard"}}
        if self.home:
            options["proxies"] = {}  # it is this machine: a company's proxy cannot reach it
        if self.endpoint_url:
            options["s3"] = {"addressing_style": "path"}  # bucket names are no host names there
        return Config(**options)


def _same_server(first: str, second: str) -> bool:
    """Whether two endpoints of this machine are one: localhost and 127.0.0.1 are."""
    one, other = urlsplit(first), urlsplit(second)
    local = {"localhost", "127.0.0.1", "::1"}
    return one.hostname in local and other.hostname in local and one.port == other.port


def _at_endpoint(endpoint: str, outputs: dict[str, str]) -> str:
    """The API's address at a server that plays all services: API Gateway's own host names lead to AWS."""
    stage = outputs["ApiUrl"].rstrip("/").rpartition("/")[2]
    return f"{endpoint.rstrip('/')}/_aws/execute-api/{outputs['ApiId']}/{stage}"
