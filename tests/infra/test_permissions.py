"""The policy for one model, as docs/permissions.md has it: asked of IAM's own logic for every route."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from dropforge.contract.routes import ROUTES, Route

from .conftest import EMBEDDED, ROOT, flat, synthesize
from .insecure import statements
from .test_roles import ACCOUNT, KEY, REGION, VIA_S3, Case, simulated, use

if TYPE_CHECKING:
    from pathlib import Path

API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/live"
PLACES = {
    "region": REGION, "account": ACCOUNT, "ApiId": "abc123", "DropBucket": "drop", "ArtifactBucket": "artifacts",
    "key": KEY,
}  # fmt: skip
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}
"""What the key's own policy says of the account's users: that their policies decide."""
OTHERS = ("prices", "houses-2", "my-houses", "house")


def calls(route: Route[object], model: str) -> Case:
    path = route.template.format(model=model, version="3", run="run-0123456789abcdef")
    return "execute-api:Invoke", f"{API}/{route.method}{path}", ""


def answers(cases: list[Case]) -> dict[Case, bool]:
    """Whether the documented policy allows each case."""
    page = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    policy = json.loads(re.sub(r"<(\w+)>", lambda found: PLACES[found[1]], text))
    return dict(
        zip(cases, simulated([(policy, each, KEY_POLICY if each[1] == KEY else None) for each in cases]), strict=True)
    )


OF_MODEL = [route for route in ROUTES if "{model}" in route.template]


def test_the_user_of_a_model_may_call_it_by_every_protocol_and_move_nothing() -> None:
    moving = [route for route in OF_MODEL if route.function == "live_pointer" and route.method != "GET"]
    assert {route.method for route in moving} == {"PUT", "DELETE"}
    by_case = {calls(route, "houses"): route not in moving for route in OF_MODEL}
    assert len(by_case) >= 14
    assert answers([*by_case]) == by_case


@pytest.mark.parametrize("other", OTHERS)
def test_no_other_model_is_open(other: str) -> None:
    said = answers([calls(route, other) for route in OF_MODEL])
    assert [case for case, yes in said.items() if yes] == []


def test_no_listing_of_every_model_is_open() -> None:
    listings = [route for route in ROUTES if route.template in ("/models", "/runs", "/runs/{run}")]
    assert len(listings) == 3
    assert not any(answers([calls(route, "houses") for route in listings]).values())


def test_data_are_dropped_for_this_model_alone() -> None:
    mine = [
        *use("s3:PutObject", of="arn:aws:s3:::drop/datasets/houses/houses.csv"),
        *use("s3:PutObject", of="arn:aws:s3:::drop/batch/houses/new.csv"),
        *use("s3:GetObject", of="arn:aws:s3:::artifacts/predictions/houses/new.csv"),
        *use("kms:GenerateDataKey", "kms:Decrypt", of=KEY, under=VIA_S3),
    ]
    others = [
        *use("s3:PutObject", of="arn:aws:s3:::drop/datasets/houses-2/houses.csv"),
        *use("s3:GetObject", of="arn:aws:s3:::drop/datasets/houses/houses.csv"),
        *use("s3:GetObject", of="arn:aws:s3:::artifacts/predictions/prices/new.csv"),
        *use("kms:Decrypt", of=KEY),
    ]
    said = answers([*mine, *others])
    assert [said[case] for case in mine] == [True] * len(mine)
    assert [case for case in others if said[case]] == []


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/trainer:9",
            "eu-west-1:123456789012:repository/team/trainer",
        ),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/t@sha256:0", "cn-north-1:123456789012:repository/t"),
        ("trainer:9", "<AWS::Region>:<AWS::AccountId>:repository/trainer"),
    ],
)
def test_a_job_pulls_from_the_repository_that_its_image_names(tmp_path: Path, uri: str, repository: str) -> None:
    template = synthesize(tmp_path, **{**EMBEDDED, "dropforge:training-image": uri})
    pulls = [each for _, each in statements(template, "AWS::IAM::Policy") if "ecr:BatchGetImage" in each["Action"]]
    assert [flat(each["Resource"]) for each in pulls] == [f"arn:<AWS::Partition>:ecr:{repository}"]
