"""The one module that talks to the prediction API: every request signed with SigV4, every fault with its message."""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from dropforge import __version__
from dropforge.client.answers import read
from dropforge.client.embedded import not_running
from dropforge.client.faults import LOG_IN, NO_ANSWER, ApiFault, Fault
from dropforge.contract import routes
from dropforge.contract.api import ModelLine, Predictions, RolloutRequest, ServeRequest
from dropforge.contract.documents import fields
from dropforge.contract.ids import RUN_ID
from dropforge.contract.models import LiveRow, VersionRow
from dropforge.contract.names import NameFault, check_model
from dropforge.contract.routes import MOST_LISTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dropforge.client.connection import Connection
    from dropforge.contract.api import ModelPage, RolloutPage
    from dropforge.contract.documents import Record
    from dropforge.contract.routes import R, Route

SERVICE = "execute-api"
TIMEOUT = (5, 40)
"""Seconds to connect and to wait for an answer; API Gateway itself gives up after 29."""

ATTEMPTS = 4
PASSING = (429, 500, 502, 503, 504)
"""Statuses that a second try may not meet, unless the API itself says why (`no_healthy_model`)."""

JSON = "application/json"
CSV = "text/csv"


class Api:
    """The routes of the API as methods; every answer is the route's record, except that rows of runs stay as sent.

    `dropforge.client.runs` reads those, since it also decides by them.
    """

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep
        proxies = {} if connection.home else get_environ_proxies(connection.api_url)
        http: Any = URLLib3Session  # its stubs know neither a bundle nor two timeouts
        self._http = http(verify=connection.ca_bundle or True, timeout=TIMEOUT, proxies=proxies)

    def runs(self, limit: int = 20, model: str | None = None) -> list[dict[str, Any]]:
        """The newest runs first, at most `limit`."""
        query = {"model": checked_model(model)} if model else {}
        return list(self._listed(routes.LIST_RUNS, routes.LIST_RUNS.path(), query, limit))

    def run(self, run: str) -> dict[str, Any]:
        """One run; `ApiFault` 404 when there is none."""
        return self._call("GET", routes.SHOW_RUN.path(run=checked_run(run)))

    def find_run(self, run: str) -> dict[str, Any] | None:
        """One run, None as long as no row of it is written."""
        try:
            return self.run(run)
        except ApiFault as fault:
            if fault.status == 404:
                return None
            raise

    def models(self) -> list[ModelLine]:
        """Every model that serves."""
        return [read(ModelLine, line) for line in self._listed(routes.LIST_MODELS, routes.LIST_MODELS.path())]

    def model(self, model: str) -> ModelPage:
        """One model: its live version, its columns, its newest versions; `ApiFault` 404 when there is none."""
        return self._ask(routes.SHOW_MODEL, model)

    def versions(self, model: str, after: str | None = None) -> Iterator[VersionRow]:
        """The versions of a model, newest first: all, or those behind `after`; `ApiFault` 404 when there are none."""
        path = routes.LIST_VERSIONS.path(model=checked_model(model))
        return (read(VersionRow, row) for row in self._listed(routes.LIST_VERSIONS, path, after=after))

    def history(self, model: str, after: str | None = None) -> Iterator[LiveRow]:
        """The moves of a model's live pointer, as `versions`."""
        path = routes.LIST_HISTORY.path(model=checked_model(model))
        return (read(LiveRow, row) for row in self._listed(routes.LIST_HISTORY, path, after=after))

    def predict(
        self, model: str, body: bytes, content_type: str = JSON, query: Mapping[str, str] | None = None
    ) -> Predictions:
        """The live version's answer to one request of rows; its values are not checked, for there are many."""
        path = routes.PREDICT.path(model=checked_model(model))
        answer = self._call(routes.PREDICT.method, path, query, body, content_type)
        return Predictions(**{field.name: answer[field.name] for field in fields(Predictions) if field.name in answer})

    def remove(self, model: str, because: str = "") -> LiveRow:
        """Nothing serves under this name any more; the pointer as it is then. `ApiFault` 404 when nothing ever did."""
        return self._ask(routes.REMOVE_MODEL, model, query={"because": because} if because else None)

    def serve(self, model: str, version: str, because: str = "") -> LiveRow:
        """An approved version serves; the pointer as it is then. `ApiFault` 404 when it may not."""
        return self._ask(routes.SERVE_VERSION, model, ServeRequest(version, because))

    def rollout(self, model: str) -> RolloutPage:
        """The version on trial; `ApiFault` 404 when nothing ever served."""
        return self._ask(routes.SHOW_ROLLOUT, model)

    def move_rollout(self, model: str, request: RolloutRequest) -> RolloutPage:
        """The rollout after a move; `ApiFault` 409 when it is not where this move could be made."""
        return self._ask(routes.MOVE_ROLLOUT, model, request)

    def openapi(self) -> dict[str, Any]:
        """The API's description of itself."""
        return self._call("GET", routes.OPENAPI.path())

    def _ask(
        self, route: Route[R], model: str, body: Record | None = None, query: Mapping[str, str] | None = None
    ) -> R:
        """The answer of a route of one model."""
        kind, path = route.response, route.path(model=checked_model(model))
        assert not isinstance(kind, str), "only other protocols' answers are no records"
        content = b"" if body is None else json.dumps(body.to_json()).encode()
        return read(kind, self._call(route.method, path, query, content, JSON if content else ""))

    def _listed(
        self,
        route: Route[Any],
        path: str,
        query: Mapping[str, str] | None = None,
        most: int | None = None,
        after: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The entries of a listing as they are sent, page by page, until its end, or until there are `most`."""
        assert not isinstance(route.response, str), "only other protocols' answers are no records"
        name, _next = (field.name for field in fields(route.response))
        count = 0
        while True:
            limit = {} if most is None else {"limit": str(min(most - count, MOST_LISTED))}
            page = self._call(route.method, path, {**(query or {}), **limit, **({"after": after} if after else {})})
            yield from page[name]
            count, after = count + len(page[name]), page.get("next")
            if after is None or count == most:
                return

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"", content_type: str = ""
    ) -> dict[str, Any]:
        url = f"{self._connection.api_url}{path}" + (f"?{_written(query)}" if query else "")
        attempt = 0
        while True:
            attempt += 1
            answer = self._send(method, url, body, content_type)
            document = _parsed(answer.content)
            if answer.status_code < 300 and isinstance(document, dict):
                return document
            fault = _fault(answer.status_code, document, f"{method} {path}")
            if attempt == ATTEMPTS or answer.status_code not in PASSING or fault.code == "no_healthy_model":
                raise fault
            self._sleep(random.uniform(0.5, 1.0) * 0.4 * 2**attempt)  # full services ask for patience, not for haste

    def _send(self, method: str, url: str, body: bytes, content_type: str) -> Any:
        headers = {"Accept": JSON, "User-Agent": f"dropforge/{__version__}"}
        if content_type:
            headers["Content-Type"] = content_type
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        SigV4Auth(self._connection.credentials(), SERVICE, self._connection.region).add_auth(request)
        try:
            return self._http.send(request.prepare())
        except EndpointConnectionError as fault:
            if self._connection.home:
                raise not_running(self._connection.home) from fault
            raise Fault(f"{self._connection.api_url} cannot be reached: is there a network?", "unreachable") from fault
        except NO_ANSWER as fault:
            raise Fault(f"{self._connection.where} does not answer: {fault}", "unreachable") from fault


def checked_model(name: str) -> str:
    """`name` when it can be a model's name; a `Fault` otherwise."""
    try:
        return check_model(name)
    except NameFault as fault:
        raise Fault(str(fault), "model_name", "model") from fault


def checked_run(run: str) -> str:
    """`run` when it can be a run's id; a `Fault` otherwise."""
    if re.fullmatch(RUN_ID, run) is None:
        message = f"run {run!r}: expected 'run-' and 16 hex digits; `dropforge runs` lists them"
        raise Fault(message, "run_id", "run")
    return quote(run)


def _written(query: Mapping[str, str]) -> str:
    """A blank as %20: SigV4 signs a + as it stands, and the service reads it as a blank."""
    return urlencode(sorted(query.items()), quote_via=quote)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _fault(status: int, document: Any, asked: str) -> ApiFault:
    """The API's own words where it has some, API Gateway's explained where not."""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict) and "message" in error:
        return ApiFault.from_body(status, error)
    said = ""
    if isinstance(document, dict):
        said = str(document.get("message") or document.get("Message") or "")
    if "expired" in said.lower():
        text = f"the AWS credentials have expired, or this machine's clock is wrong ({said}): {LOG_IN}"
        return ApiFault(status, "expired_credentials", text)
    if status in (401, 403):
        text = f"{asked}: not permitted ({said or 'no reason given'}): ask for execute-api:Invoke on this route"
        return ApiFault(status, "forbidden", text)
    if status == 429:
        return ApiFault(status, "throttled", f"{asked}: too many requests at the moment: try again later")
    return ApiFault(status, "api", f"{asked}: the API answered {status} {said}".rstrip() + ": look at its log")
