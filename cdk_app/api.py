"""The API: REST, every route signed, one function that predicts and one that lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from cdk_app.function import Function, Size
from cdk_app.pipeline_functions import HTTP, INFERENCE, PICTURES
from dropforge.contract import names
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.routes import ALL as PREDICT_ROUTES
from dropforge.contract.routes import CATALOG
from dropforge.contract.settings import METRIC_NAMESPACE, HotSettings, RegistrySettings

if TYPE_CHECKING:
    from cdk_app.pipeline_functions import Context
    from cdk_app.settings import Settings, Warmth

PROTOCOLS = "dropforge/inference/protocols"
EVERY_MODEL = "One function answers for every model, and each lies in its run's folder."
RATE, BURST = 100, 200
"""Calls a second, steady and at once, over all callers."""

BINARY = "*/*"
"""All bodies reach a function, and all answers leave it, byte for byte: clients of the Open Inference Protocol send
binary tensors without a Content-Type and take them without an Accept, so that a narrower list would spoil theirs."""


class Api(Construct):
    """`AWS_IAM` on every route: nobody gets in on day one, and there is no secret to leak."""

    def __init__(self, scope: Construct, id: str, *, context: Context, settings: Settings) -> None:
        super().__init__(scope, id)
        everyone = ArtifactSettings(registry=context.table, artifacts=context.artifacts)
        self.predict = self._predict("Predict", context, everyone, settings.warmth)
        self.hot = {
            model: self._predict(f"Hot-{model}", context, HotSettings(*everyone, hot=model), warmth)
            for model, warmth in settings.hot.items()
        }
        """Functions of one model each."""
        self.catalog = self._catalog(context)
        self.live = self._live(context)
        self.rest = self._rest(context)
        self._routes()

    def _predict(
        self, id: str, context: Context, environment: ArtifactSettings | HotSettings, warmth: Warmth
    ) -> Function:
        predict = Function(
            self,
            id,
            environment=environment,
            packaging=context.packaging,
            key=context.storage.key,
            size=Size(memory=1769, seconds=29),
            extra=(*INFERENCE, PROTOCOLS, PICTURES),
            folder="api/predict",
            warmth=warmth,
        )
        context.registry.grant(predict.role, ["GetItem", "Query"])
        files = (names.MODEL_FILE, names.FAST_GRAPH_FILE, names.FAST_WEIGHTS_FILE)
        models = [context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
        predict.allow(["s3:GetObject"], models, EVERY_MODEL)
        own = {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}}
        predict.allow(["cloudwatch:PutMetricData"], ["*"], conditions=own)
        return predict

    def _catalog(self, context: Context) -> Function:
        environment = ArtifactSettings(registry=context.table, artifacts=context.artifacts)
        catalog = Function(
            self,
            "Catalog",
            environment=environment,
            packaging=context.packaging,
            key=context.storage.key,
            size=Size(memory=512, seconds=29),
            extra=HTTP,
            folder="api/catalog",
        )
        context.registry.grant(catalog.role, ["GetItem", "BatchGetItem", "Query"], listing=True)
        files = (names.MANIFEST_FILE, names.METRICS_FILE, names.VERDICT_FILE)
        told = [context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
        catalog.allow(["s3:GetObject"], told, EVERY_MODEL)
        return catalog

    def _live(self, context: Context) -> Function:
        environment = RegistrySettings(registry=context.table)
        size = Size(memory=256, seconds=29)
        live = Function(
            self,
            "Live",
            environment=environment,
            packaging=context.packaging,
            key=context.storage.key,
            size=size,
            extra=HTTP,
            folder="api/live_pointer",
        )
        context.registry.grant(live.role, ["GetItem", "PutItem", "Query"])
        return live

    def _rest(self, context: Context) -> apigateway.RestApi:
        group = logs.LogGroup(
            self,
            "Accesses",
            encryption_key=context.storage.key,
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
        # one permission for all routes of a function: its policy holds 20 kB
        lists, moves, predict = (
            apigateway.LambdaIntegration(each, scope_permission_to_method=False)
            for each in (self.catalog.function, self.live.function, self.predict.called)
        )
        routes = [(path.strip("/"), "GET", lists) for path in CATALOG]
        routes += [("models/{model}/live", method, moves) for method in ("PUT", "DELETE")]
        routes += [(path.strip("/"), method, predict) for path, method in PREDICT_ROUTES.items()]
        for model, function in self.hot.items():
            own = apigateway.LambdaIntegration(function.called, scope_permission_to_method=False)
            # The API's most exact path wins, so that every route below a model's name is needed once more with it.
            of_models = [each for each in routes if "/{model}" in each[0]]
            routes += [
                (path.replace("{model}", model), method, own if to is predict else to) for path, method, to in of_models
            ]
        for path, method, to in routes:
            self.rest.root.resource_for_path(path).add_method(method, to)
        acknowledge(self.rest, "COG4", "Callers sign with SigV4 (AWS_IAM); there is no user pool.")
