"""The API: REST, every route signed, one function that predicts and one that lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.findings import acknowledge
from cdk_app.function import Function, Size
from cdk_app.steps import HTTP, INFERENCE, PICTURES
from dropforge.contract import names
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.routes import ROUTES
from dropforge.contract.settings import METRIC_NAMESPACE, HotSettings, RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import aws_lambda as lambda_

    from cdk_app.settings import Settings, Warmth
    from cdk_app.steps import Surroundings
    from dropforge.contract.routes import Route

PROTOCOLS = "dropforge/inference/protocols"
OPENAPI = "dropforge/inference/openapi"
EVERY_MODEL = "One function answers for every model, and each lies in its run's folder."
RATE, BURST = 100, 200
"""Calls a second, steady and at once, over all callers."""

BINARY = "*/*"
"""All bodies reach a function, and all answers leave it, byte for byte: clients of the Open Inference Protocol send
binary tensors without a Content-Type and take them without an Accept, so that a narrower list would spoil theirs."""


class Api(Construct):
    """`AWS_IAM` on every route: nobody gets in on day one, and there is no secret to leak."""

    def __init__(self, scope: Construct, id: str, *, around: Surroundings, settings: Settings) -> None:
        super().__init__(scope, id)
        everyone = ArtifactSettings(registry=around.table, artifacts=around.artifacts)
        self.predict = self._predict("Predict", around, everyone, settings.warmth)
        self.hot = {
            model: self._predict(f"Hot-{model}", around, HotSettings(*everyone, hot=model), warmth)
            for model, warmth in settings.hot.items()
        }
        """Functions of one model each."""
        self.catalog = self._catalog(around)
        self.live = self._live(around)
        self.rest = self._rest(around)
        self._routes()

    def _predict(
        self, id: str, around: Surroundings, environment: ArtifactSettings | HotSettings, warmth: Warmth
    ) -> Function:
        predict = Function(
            self,
            id,
            environment=environment,
            packaging=around.packaging,
            key=around.lake.key,
            size=Size(memory=1769, seconds=29),
            extra=(*INFERENCE, PROTOCOLS, PICTURES),
            folder="api/predict",
            warmth=warmth,
        )
        around.registry.grant(predict.role, ["GetItem", "Query"])
        files = (names.MODEL_FILE, names.FAST_GRAPH_FILE, names.FAST_WEIGHTS_FILE)
        models = [around.lake.artifacts.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
        predict.allow(["s3:GetObject"], models, EVERY_MODEL)
        own = {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}}
        predict.allow(["cloudwatch:PutMetricData"], ["*"], conditions=own)
        return predict

    def _catalog(self, around: Surroundings) -> Function:
        environment = ArtifactSettings(registry=around.table, artifacts=around.artifacts)
        catalog = Function(
            self,
            "Catalog",
            environment=environment,
            packaging=around.packaging,
            key=around.lake.key,
            size=Size(memory=512, seconds=29),
            extra=(*HTTP, OPENAPI),
            folder="api/catalog",
        )
        around.registry.grant(catalog.role, ["GetItem", "BatchGetItem", "Query"], listing=True)
        files = (names.MANIFEST_FILE, names.METRICS_FILE, names.VERDICT_FILE)
        told = [around.lake.artifacts.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
        catalog.allow(["s3:GetObject"], told, EVERY_MODEL)
        return catalog

    def _live(self, around: Surroundings) -> Function:
        environment = RegistrySettings(registry=around.table)
        size = Size(memory=256, seconds=29)
        live = Function(
            self,
            "Live",
            environment=environment,
            packaging=around.packaging,
            key=around.lake.key,
            size=size,
            extra=HTTP,
            folder="api/live_pointer",
        )
        around.registry.grant(live.role, ["GetItem", "PutItem", "Query"])
        return live

    def _rest(self, around: Surroundings) -> apigateway.RestApi:
        group = logs.LogGroup(
            self,
            "Accesses",
            encryption_key=around.lake.key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        rest = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=Stack.of(self).stack_name,  # the dimension of its metrics
            description="Dropforge: predictions from models made of dropped data sets",
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.DESTROY,
            binary_media_types=[BINARY],
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            deploy_options=apigateway.StageOptions(
                stage_name="live",
                throttling_rate_limit=RATE,
                throttling_burst_limit=BURST,
                tracing_enabled=True,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                access_log_destination=apigateway.LogGroupLogDestination(group),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True,
                    http_method=True,
                    ip=True,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=True,
                ),  # fmt: skip
            ),
        )
        acknowledge(rest, "APIG2", "Predict checks a request against the model's own columns, by name.")
        acknowledge(
            rest, "APIG3", "SigV4 keeps strangers out before any rule would; a web ACL costs while nobody calls."
        )
        role = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        acknowledge(
            rest, f"IAM4[Policy::{role}]", "The account's own role for API Gateway's logs, as AWS documents it."
        )
        return rest

    def _routes(self) -> None:
        general = {
            "predict": integration(self.predict.called),
            "catalog": integration(self.catalog.function),
            "live_pointer": integration(self.live.function),
        }
        self._add(ROUTES, general)
        for model, function in self.hot.items():
            # The API's most exact path wins, so that every route below a model's name is needed once more with it.
            of_models = [route for route in ROUTES if "/{model}" in route.template]
            named = [route._replace(template=route.template.replace("{model}", model)) for route in of_models]
            self._add(named, {**general, "predict": integration(function.called)})
        acknowledge(self.rest, "COG4", "Callers sign with SigV4 (AWS_IAM); there is no user pool.")

    def _add(self, routes: Iterable[Route[Any]], integrations: Mapping[str, apigateway.LambdaIntegration]) -> None:
        """Gives the REST API these routes, each to the integration of its function."""
        for route in routes:
            resource = self.rest.root.resource_for_path(route.template.strip("/"))
            resource.add_method(route.method, integrations[route.function])


def integration(function: lambda_.IFunction) -> apigateway.LambdaIntegration:
    """Calls the function, under one permission for all of its routes: a function's policy holds 20 kB."""
    return apigateway.LambdaIntegration(function, scope_permission_to_method=False)
