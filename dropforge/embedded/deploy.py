"""Runs the real `cdk deploy` into the embedded cloud, again only if the sources have changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from dropforge.embedded import sources
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.home import Home, read_json, write_json
from dropforge.embedded.keys import credentials, root_secret
from dropforge.embedded.settings import ACCESS_KEY, ACCOUNT, REGION, Address, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.embedded.node import Tools

STACK = "Dropforge"
TOOLKIT = "CDKToolkit"
DONE = re.compile(r"^Dropforge \|\s*(\d+)\s*(?:/\s*(\d+)\s*)?\|.*_COMPLETE\s*\|")
EVERY = 25
"""Resources between two progress messages."""


@dataclass(frozen=True)
class Cdk:
    """The CDK CLI, ready to be run against one embedded cloud."""

    home: Home
    root: Path
    tools: Tools
    address: Address
    report: Callable[[str], None]

    @property
    def assembly(self) -> Path:
        """The synthesized templates and assets."""
        return self.home.cdk / "out"

    def run(self, *words: str, folder: Path) -> None:
        """Run it in `folder`, with its output in the log of that command.

        Raises:
            CloudFault: it failed; the message holds its first error line.
        """
        command = [self.tools.node, str(self.tools.cdk), *words, "--no-notices", "--no-version-reporting"]
        log = self.home.cdk / f"{words[0]}.log"
        with log.open("w") as file, subprocess.Popen(
            command, cwd=folder, env=environment(self.home, self.address), text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            for line in child.stdout:
                file.write(line)
                self._progress(line)
        if child.returncode:
            raise CloudFault(f"cdk {words[0]} failed: {_reason(log)} (see {log})")

    def _progress(self, line: str) -> None:
        found = DONE.match(line)
        if found and int(found[1]) and int(found[1]) % EVERY == 0:
            self.report(f"{found[1]} resources created")


def ensure(cdk: Cdk) -> dict[str, str]:
    """Deploy unless the stack was deployed from the same sources; returns the stack's outputs.

    Raises:
        CloudFault: the CDK CLI failed.
    """
    digest, known = sources.stack_digest(cdk.root), read_json(cdk.home.deployment)
    if known is not None and known["digest"] == digest and _is_there(cdk, STACK):
        cdk.report("the deployed stack is up to date")
        return dict(known["outputs"])
    cdk.home.cdk.mkdir(parents=True, exist_ok=True)
    cdk.report("synthesizing the stack")
    with ThreadPoolExecutor(max_workers=2) as both:  # they are independent, and each keeps one core busy
        synthesized = both.submit(_synthesize, cdk)
        bootstrapped = both.submit(_bootstrap, cdk)
        synthesized.result()
        bootstrapped.result()
    cdk.report("deploying the stack")
    found = _deploy(cdk)
    write_json(cdk.home.deployment, {"digest": digest, "outputs": found})
    return found


def _synthesize(cdk: Cdk) -> None:
    cdk.run("synth", "--quiet", "--output", str(cdk.assembly), *context(cdk.root), folder=cdk.root)


def _bootstrap(cdk: Cdk) -> None:
    if not _is_there(cdk, TOOLKIT):  # runs in a folder without cdk.json, or the CLI would synthesize the app first
        cdk.run("bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=cdk.home.cdk)


def _deploy(cdk: Cdk) -> dict[str, str]:
    outputs = cdk.home.cdk / "outputs.json"
    options = ["--all", "--require-approval", "never", "--method", "direct", "--progress", "events"]
    options += ["--app", str(cdk.assembly), "--outputs-file", str(outputs)]
    cdk.run("deploy", *options, folder=cdk.home.cdk)
    return dict(json.loads(outputs.read_text())[STACK])


def context(root: Path) -> list[str]:
    """The two differences that an embedded deployment may have from one to AWS."""
    image = sources.trainer_image(root)
    return ["-c", "dropforge:packaging=code", "-c", f"dropforge:training-image={image}"]


def environment(home: Home, address: Address) -> dict[str, str]:
    """The CDK CLI's environment: the embedded account's administrator, and nothing of the user's own accounts."""
    certificate = str(home.tls / "server.crt")
    strict = {"NODE_EXTRA_CA_CERTS": certificate, "AWS_CA_BUNDLE": certificate} if address.strict else {}
    return {
        **clean_environment(),
        **credentials(home),
        **strict,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "AWS_ENDPOINT_URL": address.url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "CDK_HOME": str(home.cdk),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_VALIDATION": "false",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "NO_COLOR": "1",
    }


def _reason(log: Path) -> str:
    said = [line.strip() for line in log.read_text().splitlines() if line.strip()]
    telling = [line for line in said if re.search(r"error|failed|❌|denied", line, re.IGNORECASE)]
    return (telling or said or ["it said nothing"])[0]


def _is_there(cdk: Cdk, stack: str) -> bool:
    client = boto3.client(
        "cloudformation",
        endpoint_url=cdk.address.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=root_secret(cdk.home),
        verify=str(cdk.home.tls / "server.crt") if cdk.address.strict else None,
    )
    try:
        stacks = client.describe_stacks(StackName=stack)["Stacks"]
    except client.exceptions.ClientError:
        return False
    return bool(stacks) and stacks[0]["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
