"""The REST API: its routes, all of them signed, and the functions behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from cdk_app.function import Function, Size
from cdk_app.libraries import CAPTURE, HTTP, INFERENCE, PICTURES, PROTOCOLS
from cdk_app.logs import log_group
from cdk_app.packaging import Package
from cdk_app.pipeline_functions import artifact_settings
from dropforge.contract import names
from dropforge.contract.artifacts import CaptureSettings
from dropforge.contract.environment import variables
from dropforge.contract.log import UNKNOWN_VALUES
from dropforge.contract.routes import ROUTES
from dropforge.contract.settings import UNKNOWN_VALUES_METRIC, HotSettings, LiveSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import aws_lambda as lambda_

    from cdk_app.context import Context
    from cdk_app.rollouts import Rollouts
    from cdk_app.settings import Settings, Warmth
    from dropforge.contract.artifacts import ArtifactSettings
    from dropforge.contract.routes import Route

OPENAPI = "dropforge/inference/openapi"
PREDICT = Package("api/predict", (*INFERENCE, PROTOCOLS, CAPTURE, PICTURES))
CATALOG = Package("api/catalog", (*HTTP, OPENAPI))
LIVE_POINTER = Package("api/live_pointer", HTTP)

EVERY_MODEL = "One function answers for every model, and each lies in its run's folder."
EVERY_CAPTURE = "One function answers for every model and version, and the captures of each lie in its folder."
RATE_LIMIT, BURST_LIMIT = 100, 200
"""Throttling limits over all callers: requests a second, and requests at once."""

BINARY_MEDIA_TYPES = ["*/*"]
"""All bodies pass byte for byte in both directions: clients of the Open Inference Protocol send binary tensors without
a Content-Type and expect them without an Accept, so a narrower list would corrupt them."""


class Api(Construct):
    """The REST API. Every route requires `AWS_IAM`, so there is no secret to leak and nobody has access by default."""

    def __init__(self, scope: Construct, id: str, *, context: Context, settings: Settings, rollouts: Rollouts) -> None:
        super().__init__(scope, id)
        self._settings = settings
        every_model = artifact_settings(context)
        self.predict = self._predict("Predict", context, every_model, settings.warmth)
        self.hot = {
            model: self._predict(f"Hot-{model}", context, HotSettings(*every_model, hot=model), warmth)
            for model, warmth in settings.hot.items()
        }
        """Functions that predict for one model each, by the model's name."""
        self.catalog = self._catalog(context)
        self.live = self._live(context, rollouts.machine.state_machine_arn)
        self.rest = self._rest(context, own_role=not settings.leave_api_account)
        self._routes()

    def _predict(
        self, id: str, context: Context, environment: ArtifactSettings | HotSettings, warmth: Warmth
    ) -> Function:
        predict = Function(
            self,
            id,
            environment=environment,
            packaging=context.packaging,
            storage=context.storage,
            size=Size(memory=1769, seconds=29),
            package=PREDICT,
            warmth=warmth,
            traced=self._settings.trace_calls,
        )
        context.registry.grant(predict.role, ["GetItem", "Query"])
        files = (names.MODEL_FILE, names.FAST_GRAPH_FILE, names.FAST_WEIGHTS_FILE)
        models = [context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
        predict.allow(["s3:GetObject"], models, EVERY_MODEL)
        if self._settings.capture:
            allow_capturing(predict, context)
        predict.allow_counting(context.metrics)
        count_unknown_values(predict, context.metrics)
        return predict

    def _catalog(self, context: Context) -> Function:
        catalog = Function(
            self,
            "Catalog",
            environment=artifact_settings(context),
            packaging=context.packaging,
            storage=context.storage,
            size=Size(memory=512, seconds=29),
            package=CATALOG,
            traced=self._settings.trace_calls,
        )
        context.registry.grant(catalog.role, ["GetItem", "BatchGetItem", "Query"], listing=True)
        files = (names.MANIFEST_FILE, names.METRICS_FILE, names.VERDICT_FILE)
        read = [context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{name}") for name in files]
        catalog.allow(["s3:GetObject"], read, EVERY_MODEL)
        return catalog

    def _live(self, context: Context, rollouts: str) -> Function:
        live = Function(
            self,
            "Live",
            environment=LiveSettings(registry=context.table_name, rollouts=rollouts),
            packaging=context.packaging,
            storage=context.storage,
            size=Size(memory=256, seconds=29),
            package=LIVE_POINTER,
            traced=self._settings.trace_calls,
        )
        context.registry.grant(live.role, ["GetItem", "PutItem", "UpdateItem", "Query"])
        live.allow(["states:StartExecution"], [rollouts])
        return live

    def _rest(self, context: Context, *, own_role: bool) -> apigateway.RestApi:
        """The API. Its role for logs is the account's, one a region: it stays when the stack goes, as others use it."""
        group = log_group(self, "Accesses", context.storage)
        rest = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=Stack.of(self).stack_name,  # the dimension of its metrics
            description="Dropforge: predictions from models made of dropped data sets",
            cloud_watch_role=own_role,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if own_role else None,
            binary_media_types=BINARY_MEDIA_TYPES,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            deploy_options=apigateway.StageOptions(
                stage_name="live",
                throttling_rate_limit=RATE_LIMIT,
                throttling_burst_limit=BURST_LIMIT,
                tracing_enabled=self._settings.trace_calls,
                metrics_enabled=self._settings.detailed_metrics,
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
            "predict": integration(self.predict.target),
            "catalog": integration(self.catalog.function),
            "live_pointer": integration(self.live.function),
        }
        self._add(ROUTES, general)
        for model, function in self.hot.items():
            # API Gateway takes the most exact path, so every route below a model is repeated with the model's name.
            of_models = [route for route in ROUTES if "/{model}" in route.template]
            named = [route._replace(template=route.template.replace("{model}", model)) for route in of_models]
            self._add(named, {**general, "predict": integration(function.target)})
        acknowledge(self.rest, "COG4", "Callers sign with SigV4 (AWS_IAM); there is no user pool.")

    def _add(self, routes: Iterable[Route[Any]], integrations: Mapping[str, apigateway.LambdaIntegration]) -> None:
        """Gives the REST API these routes, each to the integration of its function."""
        for route in routes:
            resource = self.rest.root.resource_for_path(route.template.strip("/"))
            resource.add_method(route.method, integrations[route.function])


def allow_capturing(predict: Function, context: Context) -> None:
    """Lets the function write captures, and tells it to."""
    captures = context.storage.artifacts.arn_for_objects(f"{names.CAPTURES}*")
    predict.allow(["s3:PutObject", "s3:PutObjectTagging"], [captures], EVERY_CAPTURE)
    for name, value in variables(CaptureSettings(context.artifact_bucket)).items():
        predict.function.add_environment(name, value)


def count_unknown_values(predict: Function, namespace: str) -> None:
    """Makes a metric, by model, of the log lines that count the values which a model does not know."""
    predict.log_group.add_metric_filter(
        "UnknownValues",
        filter_pattern=logs.FilterPattern.string_value("$.event", "=", UNKNOWN_VALUES),
        metric_namespace=namespace,
        metric_name=UNKNOWN_VALUES_METRIC,
        metric_value="$.values",
        dimensions={"model": "$.model"},
        unit=cloudwatch.Unit.COUNT,
    )


def integration(function: lambda_.IFunction) -> apigateway.LambdaIntegration:
    """Calls the function, under one permission for all of its routes: a function's policy holds 20 kB."""
    return apigateway.LambdaIntegration(function, scope_permission_to_method=False)
