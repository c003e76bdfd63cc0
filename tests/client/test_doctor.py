"""The doctor against AWS in memory: each finding has its fix, and what blocks is told from what does not."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.servicequotas.responses import ServiceQuotasResponse

from dropforge.client.doctor import Finding, examine_account
from dropforge.client.quotas import quota_name
from dropforge.contract.instances import PLACES, SMALL_PLACES, has_gpu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERYWHERE = (*SMALL_PLACES, *PLACES)
REGION = "eu-central-1"
CONCURRENCY = {"AccountLimit": {"ConcurrentExecutions": 1000}}
STACK = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the account its quotas: moto has none of SageMaker's, and answers in two pages here."""
    request.getfixturevalue("aws")
    monkeypatch.setenv("AWS_REGION", REGION)
    quotas: dict[str, float] = {}

    def answer(self: Any) -> str:
        listed = [
            {"QuotaCode": f"L-{number:04}", "QuotaName": name, "Value": value}
            for number, (name, value) in enumerate({"something else": 5.0, **quotas}.items())
        ]
        half = len(listed) // 2
        if json.loads(self.body).get("NextToken"):
            return json.dumps({"Quotas": listed[half:]})
        return json.dumps({"Quotas": listed[:half], "NextToken": "more"})

    monkeypatch.setattr(ServiceQuotasResponse, "list_service_quotas", answer, raising=False)
    refuse(monkeypatch, {"GetAccountSettings": CONCURRENCY})

    def give(allowed: Callable[[str], float]) -> None:
        quotas.update({quota_name(place): allowed(place.instance_type) for place in EVERYWHERE})

    return give


def refuse(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> None:
    """Has some operations give an answer or raise an error; all others are moto's."""
    real = BaseClient._make_api_call

    def call(self: Any, operation: str, arguments: Any) -> Any:
        answer = answers.get(operation)
        if isinstance(answer, Exception):
            raise answer
        return real(self, operation, arguments) if answer is None else answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Call")


def found() -> dict[str, Finding]:
    return {finding.check: finding for finding in examine_account()}


def blocking(findings: dict[str, Finding]) -> set[str]:
    return {check for check, finding in findings.items() if finding.status == "blocks"}


def test_quotas_of_0_block_and_each_has_its_command_and_page(account: Callable[..., None]) -> None:
    account(lambda _type: 0.0)
    findings = found()
    assert blocking(findings) == {"training", "bootstrap"}
    codes = set()
    for place in EVERYWHERE:
        finding = findings[f"quota of {place.name}"]
        words = shlex.split(finding.command)
        assert words[:3] == ["aws", "service-quotas", "request-service-quota-increase"]
        options = dict(zip(words[3::2], words[4::2], strict=True))
        assert (options["--service-code"], options["--region"]) == ("sagemaker", REGION)
        assert int(options["--desired-value"]) >= 1
        assert finding.link.endswith(f"/services/sagemaker/quotas/{options['--quota-code']}") and REGION in finding.link
        codes.add(options["--quota-code"])
    assert len(codes) == len(EVERYWHERE), "each place has a quota of its own, over all pages"


@pytest.mark.parametrize(
    ("allowed", "status", "said"),
    [
        (lambda name: 0.0 if has_gpu(name) else 2.0, "warning", "no GPU may be used"),
        (lambda name: 2.0 if has_gpu(name) else 0.0, "warning", "no CPU may be used"),
        (lambda _name: 1.0, "ok", f"{len(EVERYWHERE)} of {len(EVERYWHERE)} places"),
    ],
)
def test_some_quotas_are_enough_to_train(
    account: Callable[..., None], allowed: Callable[[str], float], status: str, said: str
) -> None:
    account(allowed)
    finding = found()["training"]
    assert finding.status == status and said in finding.message


@pytest.mark.usefixtures("account")
def test_a_region_without_a_machine_says_so() -> None:
    findings = found()
    assert findings[f"quota of {PLACES[0].name}"].message.startswith(f"{REGION} has no quota named")
    assert findings["training"].status == "blocks"


@pytest.mark.parametrize(("limit", "status"), [(0, "blocks"), (10, "warning"), (1000, "ok")])
def test_the_concurrency_of_a_new_account_is_told(
    account: Callable[..., None], monkeypatch: pytest.MonkeyPatch, limit: int, status: str
) -> None:
    account(lambda _type: 1.0)
    refuse(monkeypatch, {"GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": limit}}})
    finding = found()["concurrency of functions"]
    assert finding.status == status
    assert ("--quota-code L-B99A9384" in finding.command) is (status != "ok")


def test_a_bootstrapped_account_is_ready_for_its_first_deployment(account: Callable[..., None]) -> None:
    account(lambda _type: 1.0)
    assert found()["bootstrap"].command == f"npx cdk bootstrap aws://123456789012/{REGION}"
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName="CDKToolkit", TemplateBody=STACK)
    findings = found()
    assert findings["bootstrap"].status == "ok" and blocking(findings) == set()
    assert (findings["stack"].status, findings["stack"].command) == ("warning", "npx cdk deploy")
    assert all(finding.fix for finding in findings.values() if finding.status == "blocks")


@pytest.mark.parametrize(
    ("operation", "answer", "check", "status"),
    [
        ("ListTrainingJobs", error("AccessDeniedException"), "access to sagemaker", "warning"),
        ("ListTables", error("SubscriptionRequiredException"), "access to dynamodb", "blocks"),
        ("ListFunctions", EndpointConnectionError(endpoint_url="https://x"), "access to lambda", "blocks"),
        ("ListServiceQuotas", error("AccessDeniedException"), "training quotas", "warning"),
        ("GetAccountSettings", error("AccessDeniedException"), "concurrency of functions", "warning"),
        ("DescribeStacks", error("AccessDenied"), "stack", "warning"),
        ("GetCallerIdentity", error("ExpiredToken"), "credentials", "blocks"),
    ],
)
def test_every_refusal_is_a_finding_of_its_own(
    account: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    answer: Exception,
    check: str,
    status: str,
) -> None:
    account(lambda _type: 1.0)
    refuse(monkeypatch, {operation: answer})
    finding = found()[check]
    assert finding.status == status and finding.fix


def test_without_credentials_nothing_else_is_asked() -> None:
    findings = found()
    assert list(findings) == ["region", "credentials"]
    assert blocking(findings) == {"region", "credentials"}
    assert "AWS_REGION" in findings["region"].command


def test_a_profile_that_does_not_exist_is_one_finding() -> None:
    (finding,) = examine_account("nobody")
    assert (finding.check, finding.status) == ("credentials", "blocks") and "nobody" in finding.message


@pytest.mark.usefixtures("account")
def test_a_region_that_aws_does_not_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-nowhere-1")
    findings: Iterator[Finding] = examine_account()
    assert next(findings).status == "warning"
