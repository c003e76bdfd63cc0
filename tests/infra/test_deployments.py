"""What a deployment can choose, what it leaves behind, and that two of them do not meet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cdk_app.context_values import SettingFault
from cdk_app.settings import LOG_DAYS, Adopted, Retention, Settings
from cdk_app.training import LONGEST_PREFIX, job_prefix
from dropforge.contract.captures import KEEP_DAYS

from .conftest import EMBEDDED, ROOT, context, flat, of_type, synthesize

if TYPE_CHECKING:
    from pathlib import Path

DATA = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table", "AWS::KMS::Key")
ADOPTED = Adopted(
    drop="old-drops",
    artifacts="old-artifacts",
    accesses="old-accesses",
    table="old-table",
    key="arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
)


def settings(**values: Any) -> Settings:
    return Settings.from_context({f"dropforge:{name.replace('_', '-')}": value for name, value in values.items()})


def policies(template: dict[str, Any]) -> set[str]:
    """What happens to data when the stack is destroyed, and when one of them is replaced."""
    kept = [each for kind in DATA for each in of_type(template, kind).values()]
    assert len(kept) == 3 + 3 + 1 + 1
    return {each[name] for each in kept for name in ("DeletionPolicy", "UpdateReplacePolicy")}


def test_data_stay_unless_the_first_deployment_fails(template: dict[str, Any]) -> None:
    assert policies(template) == {"RetainExceptOnCreate", "Retain"}
    kept = [each for kind in DATA for each in of_type(template, kind).values()]
    assert {each["DeletionPolicy"] for each in kept} == {"RetainExceptOnCreate"}
    (table,) = of_type(template, "AWS::DynamoDB::Table").values()
    # CloudFormation cannot roll a protected table back; see decision 42.
    assert table["Properties"]["DeletionProtectionEnabled"] is False


def test_data_go_with_the_stack_when_two_switches_say_so(template: dict[str, Any], tmp_path: Path) -> None:
    one = synthesize(tmp_path / "one", **EMBEDDED, **{"dropforge:remove-data": "true"})
    assert one["Resources"] == template["Resources"]
    both = {"dropforge:remove-data": True, "dropforge:yes-remove-data": "true"}
    assert policies(synthesize(tmp_path / "both", **EMBEDDED, **both)) == {"Delete"}


def test_the_account_s_role_for_logs_outlives_the_stack(template: dict[str, Any]) -> None:
    """There is one an account and region: other stacks' stages log under it too."""
    (account,) = of_type(template, "AWS::ApiGateway::Account").values()
    role = template["Resources"][account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    assert [account["DeletionPolicy"], role["DeletionPolicy"]] == ["Retain", "Retain"]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of a stack with every setting that is off by default."""
    chosen = {
        "stack": "Dropforge-Two",
        "tags": "team=data,stage=test",
        "protect-table": "true",
        "leave-api-account": True,
        "alarm-email": "ops@example.org, ml@example.org",
        "log-days": 30,
        "version-days": "7",
        "prediction-days": "0",
        "places": "ml.g7.xlarge:spot, ml.g6.xlarge:spot, ml.m5.xlarge",
        "budget-cap": 2.5,
        "prices": {"ml.g7.xlarge": 1.9, "ml.m5.xlarge": 0.276, "object_bytes": 0.0245},
    }
    folder = tmp_path_factory.mktemp("other")
    return synthesize(folder, **EMBEDDED, **{f"dropforge:{name}": value for name, value in chosen.items()})


def test_the_account_s_role_can_be_left_alone(other: dict[str, Any]) -> None:
    assert of_type(other, "AWS::ApiGateway::Account") == {}
    assert not [each for each in of_type(other, "AWS::IAM::Role").values() if "apigateway" in json.dumps(each)]


def test_what_was_chosen_is_in_the_template(other: dict[str, Any]) -> None:
    (table,) = of_type(other, "AWS::DynamoDB::Table").values()
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    (inspect,) = (each for name, each in of_type(other, "AWS::Lambda::Function").items() if "InspectFunction" in name)
    variables = inspect["Properties"]["Environment"]["Variables"]
    places = "ml.g7.xlarge:spot,ml.g6.xlarge:spot,ml.m5.xlarge"
    assert (variables["PLACES"], variables["MOST_COST"]) == (places, "2.5")
    subscriptions = [each["Properties"] for each in of_type(other, "AWS::SNS::Subscription").values()]
    assert {each["Endpoint"] for each in subscriptions} == {"ops@example.org", "ml@example.org"}
    assert {each["Properties"]["RetentionInDays"] for each in of_type(other, "AWS::Logs::LogGroup").values()} == {30}


def test_its_own_prices_reach_those_who_read_prices(template: dict[str, Any], other: dict[str, Any]) -> None:
    def told(template: dict[str, Any]) -> dict[str, str]:
        functions = of_type(template, "AWS::Lambda::Function").items()
        found = {name: each["Properties"].get("Environment", {}).get("Variables", {}) for name, each in functions}
        return {name: each["PRICES"] for name, each in found.items() if "PRICES" in each}

    own = '{"ml.g7.xlarge":1.9,"ml.m5.xlarge":0.276}'
    assert set(told(other).values()) == {own} and set(told(template).values()) == {""}
    assert len(told(other)) == 2 and all("Inspect" in name or "Judge" in name for name in told(other))
    # A type that only the setting knows is a GPU's for the job, and has a disk of its own.
    (training,) = (
        text
        for each in of_type(other, "AWS::StepFunctions::StateMachine").values()
        if "createTrainingJob" in (text := json.dumps(each))
    )
    assert training.count("'ml.g7.xlarge'") == 2


def rules(template: dict[str, Any], bucket: str) -> dict[str, dict[str, Any]]:
    (found,) = (each for name, each in of_type(template, "AWS::S3::Bucket").items() if name.startswith(bucket))
    return {each["Id"]: each for each in found["Properties"]["LifecycleConfiguration"]["Rules"]}


def test_what_is_needed_for_a_time_only_expires(template: dict[str, Any], other: dict[str, Any]) -> None:
    kept = Retention()
    expiring = {
        name: (each["Prefix"], each["ExpirationInDays"])
        for name, each in rules(template, "LakeArtifacts").items()
        if "ExpirationInDays" in each
    }
    assert expiring == {
        "checkpoints": ("checkpoints/", 14),
        "inputs": ("runs/", kept.inputs),
        "quarantine": ("quarantine/", kept.quarantine),
        "predictions": ("predictions/", kept.predictions),
        **{f"captures-{days}": ("captures/", days) for days in KEEP_DAYS},
    }
    # Without the tag, models and their scores would go too.
    assert rules(template, "LakeArtifacts")["inputs"]["TagFilters"] == [{"Key": "dropforge-expires", "Value": "input"}]
    for bucket, versions in (("LakeDrop", "old-versions"), ("LakeArtifacts", "old-versions")):
        rule = rules(template, bucket)[versions]
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": kept.versions}
        assert rule["ExpiredObjectDeleteMarker"] is True
        assert rules(other, bucket)[versions]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert "predictions" not in rules(other, "LakeArtifacts")
    assert {each["Properties"]["RetentionInDays"] for each in of_type(template, "AWS::Logs::LogGroup").values()} == {90}


def names(template: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every name that the template writes out, where two stacks could choose the same."""
    local = {"MetricName", "StageName", "PolicyName"}  # of an alarm, an API and a role
    return {
        (resource["Type"], name, value)
        for resource in template["Resources"].values()
        for name, value in resource["Properties"].items()
        if name.endswith("Name") and name not in local and isinstance(value, str)
    }


def test_two_stacks_in_one_account_share_no_name(template: dict[str, Any], other: dict[str, Any]) -> None:
    mine, theirs = names(template), names(other)
    assert ("AWS::KMS::Alias", "AliasName", "alias/Dropforge") in mine
    assert not mine & theirs
    assert "Export" not in json.dumps([template["Outputs"], other["Outputs"]])


def dimensions(template: dict[str, Any]) -> set[str]:
    """What the alarms watch that refer to no resource of the stack, whose name would be its own."""
    alarms = [each["Properties"] for each in of_type(template, "AWS::CloudWatch::Alarm").values()]
    watched = {f"{each['Namespace']} {each['MetricName']} {json.dumps(each.get('Dimensions', []))}" for each in alarms}
    return {each for each in watched if '{"Ref"' not in each and '{"Fn::' not in each}


def test_no_alarm_rings_for_the_other_stack(template: dict[str, Any], other: dict[str, Any]) -> None:
    assert "Dropforge NoHealthyModel []" in dimensions(template)
    assert "Dropforge-Two NoHealthyModel []" in dimensions(other)
    assert not dimensions(template) & dimensions(other)
    for each, namespace in ((template, "Dropforge"), (other, "Dropforge-Two")):
        (filtered,) = of_type(each, "AWS::Logs::MetricFilter").values()
        assert filtered["Properties"]["MetricTransformations"][0]["MetricNamespace"] == namespace
        counting = [
            function["Properties"]["Environment"]["Variables"]["NAMESPACE"]
            for function in of_type(each, "AWS::Lambda::Function").values()
            if "NAMESPACE" in function["Properties"]["Environment"]["Variables"]
        ]
        allowed = [
            condition["StringEquals"]["cloudwatch:namespace"]
            for policy in of_type(each, "AWS::IAM::Policy").values()
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if "cloudwatch:namespace" in (condition := statement.get("Condition", {})).get("StringEquals", {})
        ]
        assert len(counting) == len(allowed) >= 3
        assert {*counting, *allowed} == {namespace}


@pytest.mark.parametrize("stack", ["Dropforge", "d", "Dropforge-Two", "A" * 128, "dropforge-for-the-team-of-data"])
def test_every_stack_has_its_own_names_of_jobs(stack: str) -> None:
    name = f"{job_prefix(stack)}run-0123456789abcdef-1732386000123-99"
    assert re.fullmatch(r"[a-z0-9](-*[a-z0-9]){0,62}", name), name
    assert len(job_prefix(stack)) <= LONGEST_PREFIX
    assert job_prefix(stack) != job_prefix(f"{stack}x"[-128:])


def test_a_stack_may_not_touch_the_jobs_of_another(template: dict[str, Any], other: dict[str, Any]) -> None:
    def rights(template: dict[str, Any]) -> str:
        (found,) = {
            flat(statement["Resource"])
            for policy in of_type(template, "AWS::IAM::Policy").values()
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if "sagemaker:CreateTrainingJob" in statement["Action"]
        }
        return found.rpartition("/")[2]

    assert [rights(template), rights(other)] == ["dropforge-run-*", "dropforge-two-run-*"]


def test_the_template_names_no_partition(template: dict[str, Any], other: dict[str, Any]) -> None:
    assert "arn:aws" not in json.dumps([template, other])


def test_a_stack_goes_on_with_the_data_of_another(template: dict[str, Any], tmp_path: Path) -> None:
    adopting = synthesize(tmp_path, **EMBEDDED, **{"dropforge:adopt": str(ADOPTED)})
    assert not [each for each in adopting["Resources"].values() if each["Type"] in DATA]
    gone = {name for name, each in template["Resources"].items() if each["Type"] in DATA}
    assert adopting["Resources"].keys() == template["Resources"].keys() - gone
    assert not [name for name in gone if name in json.dumps(adopting)]
    outputs = adopting["Outputs"]
    assert outputs["DropBucket"]["Value"] == "old-drops"
    assert flat(outputs["Adopt"]["Value"]) == str(ADOPTED)
    assert outputs.keys() == template["Outputs"].keys()
    rights = [
        flat(resource)
        for policy in of_type(adopting, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    ]
    for name in ("old-drops/datasets/*", "old-artifacts/runs/*", "table/old-table", ADOPTED.key):
        assert [each for each in rights if each.endswith(name)], name


def test_the_output_of_a_stack_is_the_setting_of_the_next(template: dict[str, Any]) -> None:
    text = flat(template["Outputs"]["Adopt"]["Value"])
    adopted = settings(adopt=text).adopt
    assert adopted is not None and str(adopted) == text
    assert adopted.drop == flat(template["Outputs"]["DropBucket"]["Value"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hot_model": "a"}, "dropforge:hot-model: no such setting; did you mean 'hot-models'"),
        ({"Stack": "a"}, "no such setting; did you mean 'stack'"),
        ({"zebra": "a"}, "dropforge:zebra: no such setting; expected one of adopt, alarm-email, "),
        ({"packaging": "zip"}, "expected 'full' or 'code', got 'zip'"),
        ({"stack": "my_stack"}, "dropforge:stack: expected at most 128 letters, digits and '-'"),
        ({"remove_data": "ture"}, "dropforge:remove-data: expected true or false, got 'ture'"),
        ({"log_days": "80"}, "dropforge:log-days: expected 0 for ever, or a time that CloudWatch Logs knows"),
        ({"input_days": "ten"}, "dropforge:input-days: expected a whole number, got 'ten'"),
        ({"tags": "team"}, "dropforge:tags: expected name=value pairs with commas between them, got 'team'"),
        ({"alarm_email": "me"}, "dropforge:alarm-email: expected e-mail addresses"),
        ({"places": "ml.m5.xlarge,ml.x9"}, "dropforge:places: 'ml.x9': expected one of ml.g6.xlarge"),
        ({"places": "ml.g7.xlarge"}, "dropforge:prices gives the price of another type"),
        (
            {"prices": "functoin_seconds=1"},
            "dropforge:prices: 'functoin_seconds': no such price; did you mean 'function",
        ),
        ({"prices": {"alarm": "free"}}, "dropforge:prices: alarm: expected US dollars, 0 or more, got 'free'"),
        ({"places": "ml.m5.xlarge:sport"}, "dropforge:places: 'ml.m5.xlarge:sport': expected one of"),
        ({"budget_cap": "-1"}, "dropforge:budget-cap: expected a number of more than 0, got '-1'"),
        ({"adopt": "drop=a,table=b"}, "dropforge:adopt: expected the names of drop, artifacts, accesses, table, key"),
        ({"adopt": f"{ADOPTED},more=x"}, "dropforge:adopt: expected the names of"),
        ({"remove_data": "1", "yes_remove_data": "1", "adopt": str(ADOPTED)}, "remove-data and dropforge:adopt"),
        ({"remove_data": "1", "yes_remove_data": "1", "protect_table": "1"}, "remove-data and dropforge:protect"),
    ],
)
def test_a_wrong_setting_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingFault, match=re.escape(message)):
        settings(**values)


def test_settings_may_be_texts_or_json() -> None:
    texts = settings(tags="a=1,b=2", remove_data="true", yes_remove_data="TRUE", log_days="7", alarm_email="a@b,c@d")
    plain = settings(
        tags={"a": 1, "b": 2}, remove_data=True, yes_remove_data=True, log_days=7, alarm_email=["a@b", "c@d"]
    )
    assert texts == plain
    assert settings() == Settings()
    assert all(settings(log_days=days).retention.logs == days for days in (0, *LOG_DAYS))


def test_a_wrong_setting_ends_synth_with_one_line() -> None:
    wrong = {**EMBEDDED, "dropforge:hot-model": "houses"}
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context(**wrong))}
    command = [sys.executable, "-m", "cdk_app.app"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("dropforge:hot-model: no such setting; did you mean 'hot-models'")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["S3::Bucket", "Lambda::Function", "StepFunctions::StateMachine", "DynamoDB::Table"])
def test_tags_are_on_everything_that_takes_them(other: dict[str, Any], kind: str) -> None:
    for resource in of_type(other, f"AWS::{kind}").values():
        tags = {each["Key"]: each["Value"] for each in resource["Properties"]["Tags"]}
        assert (tags["team"], tags["stage"]) == ("data", "test")
