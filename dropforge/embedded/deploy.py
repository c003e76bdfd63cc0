"""The real `cdk deploy` into the embedded cloud, done again only when the sources have changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from dropforge.embedded import sources
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.home import Home, read_json, write_json
from dropforge.embedded.settings import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, Address, clean_environment, credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.embedded.node import Tools

STACK = "Dropforge"
PROGRESS = re.compile(r"^Dropforge \|\s*(\d+)/(\d+) \|[^|]*\| (\w+)\s+\| (\S+)\s+\| (.*)$")


def ensure(home: Home, root: Path, tools: Tools, address: Address, report: Callable[[str], None]) -> dict[str, str]:
    """Deploy unless the stack in the cloud is of these very sources; returns the stack's outputs.

    Raises:
        CloudFault: the CDK CLI failed; the message holds its first error line.
    """
    digest, known = sources.stack_digest(root), read_json(home.deployment)
    if known is not None and known["digest"] == digest and _stack_is_there(home, address):
        report("the deployed stack is up to date")
        return dict(known["outputs"])
    environ = environment(home, address)
    if not (home.cdk / "bootstrapped").exists() or known is None:
        report("bootstrapping")
        _cdk(home, root, tools, environ, ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], report)
    report("synthesizing and deploying the stack")
    outputs = home.cdk / "outputs.json"
    options = ["--all", "--require-approval", "never", "--method", "direct", "--outputs-file", str(outputs)]
    _cdk(home, root, tools, environ, ["deploy", *options, *context(root)], report)
    found = json.loads(outputs.read_text())[STACK]
    write_json(home.deployment, {"digest": digest, "outputs": found})
    return dict(found)


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
        **credentials(),
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
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "NO_COLOR": "1",
    }


def _cdk(
    home: Home, root: Path, tools: Tools, environ: dict[str, str], words: list[str], report: Callable[[str], None]
) -> None:
    """Run the CDK CLI in the project's root, its words to the deploy log and its progress to `report`."""
    quiet = ["--no-notices", "--no-version-reporting", "--no-color", "--output", str(home.cdk / "out")]
    command = [tools.node, str(tools.cdk), *words, *quiet, "--progress", "events"]
    home.cdk.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    with (
        home.deploy_log.open("w") as log,
        subprocess.Popen(
            command, cwd=root, env=environ, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as child,
    ):  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            log.write(line)
            lines.append(line.strip())
            if step := PROGRESS.match(line):
                report(f"{step[1]}/{step[2]} {step[3]} {step[5].strip()}")
    if child.returncode:
        raise CloudFault(f"cdk {words[0]} failed: {_reason(lines)} (all of it: {home.deploy_log})")


def _reason(lines: list[str]) -> str:
    said = [line for line in lines if line]
    telling = [line for line in said if re.search(r"error|failed|❌|denied", line, re.IGNORECASE)]
    return (telling or said or ["it said nothing"])[0]


def _stack_is_there(home: Home, address: Address) -> bool:
    client = boto3.client(
        "cloudformation",
        endpoint_url=address.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        verify=str(home.tls / "server.crt") if address.strict else None,
    )
    try:
        stacks = client.describe_stacks(StackName=STACK)["Stacks"]
    except client.exceptions.ClientError:
        return False
    return bool(stacks) and stacks[0]["StackStatus"].endswith("_COMPLETE")
