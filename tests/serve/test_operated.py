"""What operators need: metrics, access log, request ids, tokens, TLS, hosts and origins, loading and unloading."""

from __future__ import annotations

import gzip
import http.client
import json
import math
import re
import ssl
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dropforge.inference.faults import ModelFault
from dropforge.serve.faults import ServeFault
from dropforge.serve.packing import LEAST, wants_gzip
from dropforge.serve.server import checked, loaded
from dropforge.serve.settings import Settings
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serve.conftest import ROOT, place_run, serving, until
from tests.serve.running import ask, running
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.serve.app import App

ROW = json.dumps(little("multiclass").rows(1)).encode()
TOKEN = "a-token-of-sixteen-characters"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with the model `flowers`."""
    return place_run(tmp_path / "run", "multiclass")


def application(run: Path, **settings: Any) -> App:
    return loaded([str(run)], None, Settings(**settings))


def test_metrics_count_by_route_model_and_status(run: Path) -> None:
    with running(application(run)) as port:
        for path, body in (("/models/flowers/predict", ROW), ("/models/flowers/predict", b"x"), ("/made/up", b"")):
            ask(port, "POST", path, body)
        ask(port, "POST", "/models/stranger/predict", ROW)
        page = ask(port, "GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(page.body.decode())}
    counts = {
        (sample.labels["route"], sample.labels["model"], sample.labels["status"]): sample.value
        for sample in families["dropforge_requests"].samples
        if sample.name.endswith("_total")
    }
    assert counts == {
        ("/models/{model}/predict", "flowers", "200"): 1,
        ("/models/{model}/predict", "flowers", "400"): 1,
        ("/models/{model}/predict", "", "404"): 1,
        ("other", "", "404"): 1,
    }
    (model,) = families["dropforge_model_info"].samples
    assert (model.labels["model"], model.value) == ("flowers", 1)
    assert "process_resident_memory_bytes" in families


def test_workers_count_together(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)

    def counted(server: Any) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        found = re.findall(r'^dropforge_requests_total{.*status="200".*route="/ping".*} (.*)$', text, re.MULTILINE)
        found += re.findall(r'^dropforge_requests_total{.*route="/ping".*status="200".*} (.*)$', text, re.MULTILINE)
        return sum(map(float, found))

    with serving(run, "--workers", "2") as server:
        until(lambda: server.ask("GET", "/ping").status == 200)
        before = counted(server)
        for _ in range(20):
            server.ask("GET", "/ping")
        assert counted(server) == before + 20


def test_a_request_id_is_repeated_and_the_access_log_has_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(application(run, access_log=True)) as port:
        own = ask(port, "POST", "/models/flowers/predict", ROW, x_request_id="caller-1")
        made = ask(port, "GET", "/v2/none", x_request_id="bad id\t" + "x" * 200)
    assert own.headers["x-request-id"] == "caller-1"
    assert re.fullmatch(r"[0-9a-f]{8}-\d+", made.headers["x-request-id"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    first, second = (line for line in lines if line["event"] == "request")
    assert (first["request"], first["model"], first["route"], first["status"]) == (
        "caller-1", "flowers", "/models/{model}/predict", 200,
    )  # fmt: skip
    assert (second["route"], second["status"]) == ("other", 404) and "none" not in json.dumps(second)


def test_no_access_log_by_default(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(application(run)) as port:
        ask(port, "POST", "/models/flowers/predict", ROW)
    assert not capsys.readouterr().out


def test_tokens(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{TOKEN}\nanother-of-sixteen-characters\n")
    with running(application(run, token_file=str(file))) as port:
        for path in ("/models", "/metrics", "/openapi.json", "/v2"):
            assert ask(port, "GET", path).status == 401
            assert ask(port, "GET", path, authorization="Bearer " + TOKEN[:-1]).status == 401
            assert ask(port, "GET", path, authorization=f"Basic {TOKEN}").status == 401
            assert ask(port, "GET", path, authorization=f"bearer {TOKEN}").status == 200
        assert ask(port, "GET", "/v2").body == {"error": "expected Authorization: Bearer and a token of this server"}
        assert ask(port, "GET", "/models").headers["www-authenticate"] == "Bearer"
        assert ask(port, "GET", "/v2/health/ready").status == 200, "a load balancer has no token"
    for text in ("", "short"):
        file.write_text(text)
        with pytest.raises(ServeFault, match="at least 16 characters"):
            application(run, token_file=str(file))
    with pytest.raises(ServeFault, match="--token-file"):
        application(run, token_file=str(tmp_path / "none"))


def test_a_server_of_this_machine_answers_no_page_and_no_foreign_name(run: Path) -> None:
    with running(application(run, loopback=True)) as port:
        assert ask(port, "GET", "/models").status == 200
        for headers in (
            {"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"},
        ):  # fmt: skip
            assert ask(port, "GET", "/models", **headers).status == 403
            assert isinstance(ask(port, "POST", "/v2/models/flowers/infer", b"{}", **headers).body["error"], str)
    with running(application(run)) as port:
        assert ask(port, "GET", "/models", Host="models.example").status == 200, "behind a proxy"
    with running(application(run, hosts=("models.example",))) as port:
        assert ask(port, "GET", "/models", Host="models.example:8080").status == 200
        assert ask(port, "GET", "/models", Host="other.example").status == 403


def test_pages_of_allowed_origins_may_ask(run: Path) -> None:
    page, other = "https://shop.example", "https://evil.example"
    with running(application(run, loopback=True, origins=(page,))) as port:
        asks = {"access_control_request_method": "POST", "access_control_request_headers": "content-type"}
        before = ask(port, "OPTIONS", "/models/flowers/predict", Origin=page, **asks)
        assert (before.status, before.headers["access-control-allow-origin"]) == (204, page)
        answer = ask(port, "POST", "/models/flowers/predict", ROW, Origin=page, sec_fetch_site="cross-site")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, page)
        refused = ask(port, "POST", "/models/flowers/predict", ROW, Origin=other)
        assert refused.status == 403 and "access-control-allow-origin" not in refused.headers


def test_tls(run: Path, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    app = application(run, certificate=str(cert), key=str(key))
    with running(app) as port:
        context = ssl.create_default_context(cafile=str(cert))
        connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
        connection.request("POST", "/models/flowers/predict", ROW)
        assert connection.getresponse().status == 200
        connection.close()
    checked(app.settings)
    with pytest.raises(ServeFault, match="--tls-cert"):
        checked(replace(app.settings, key=str(tmp_path / "none")))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = built.sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "cert.pem", folder / "key.pem"


def test_long_answers_are_compressed_for_who_reads_that(run: Path) -> None:
    rows = json.dumps(little("multiclass").rows(100) * 10).encode()
    with running(application(run)) as port:
        plain = ask(port, "POST", "/models/flowers/predict", rows)
        small = ask(port, "POST", "/models/flowers/predict", rows, accept_encoding="br, gzip;q=0.5")
        short = ask(port, "POST", "/models/flowers/predict", ROW, accept_encoding="gzip")
    assert "content-encoding" not in plain.headers and "content-encoding" not in short.headers
    assert small.headers["content-encoding"] == "gzip" and int(small.headers["content-length"]) < LEAST
    assert json.loads(gzip.decompress(small.body))["predictions"] == plain.body["predictions"]
    assert wants_gzip("GZIP") and not wants_gzip("gzip; q=0") and not wants_gzip("*") and not wants_gzip("")


def test_models_are_loaded_and_unloaded_where_that_is_allowed(run: Path) -> None:
    folder = run.parent
    with running(loaded([str(folder)], None, Settings())) as port:
        refused = ask(port, "POST", "/v2/repository/models/flowers/unload")
        assert refused.status == 404 and "--repository" in refused.body["error"]
    with running(loaded([str(folder)], None, Settings(repository=True))) as port:
        assert ask(port, "POST", "/v2/repository/models/flowers/unload", b"{}").status == 200
        assert ask(port, "GET", "/v2/models/flowers/ready").status == 404
        (line,) = ask(port, "POST", "/v2/repository/index", b"{}").body
        assert (line["name"], line["state"], line["reason"]) == ("flowers", "UNAVAILABLE", "unloaded")
        assert ask(port, "POST", "/v2/repository/models/flowers/load").status == 200
        assert ask(port, "GET", "/v2/models/flowers/ready").status == 200
        place_run(folder / "houses", "regression", model="houses")
        assert ask(port, "POST", "/v2/repository/models/houses/load").status == 200
        assert ask(port, "GET", "/models/houses").body["task"] == "regression"
        (folder / "bad.onnx").write_bytes(b"no model")
        assert ask(port, "POST", "/v2/repository/models/bad/load").status == 400
        for name in ("none", "%2E%2E"):
            assert ask(port, "POST", f"/v2/repository/models/{name}/load").status == 404


def test_a_broken_file_is_named_and_the_others_serve(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run.parent / "broken.onnx").write_bytes(run.joinpath("model.onnx").read_bytes()[:1000])
    app = loaded([str(run.parent)], None, Settings(repository=True))
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["level"], line["event"]) == ("error", "file cannot be served") and "broken.onnx" in line["file"]
    with running(app) as port:
        assert ask(port, "GET", "/v2/models/flowers/ready").status == 200
        assert ask(port, "GET", "/v2/models/broken/ready").status == 503
        assert ask(port, "POST", "/models/broken/predict", ROW).status == 503
        assert b"dropforge_broken_files 1.0" in ask(port, "GET", "/metrics").body
        assert [one["state"] for one in ask(port, "POST", "/v2/repository/index").body] == ["READY", "UNAVAILABLE"]


def test_another_model_under_the_same_name_is_refused_unless_asked(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = place_run(tmp_path / "other", "regression")
    for any_reload in (False, True):
        place_run(run, "multiclass")
        files = Files.of(find([str(run)]), any_reload=any_reload)
        for name in ("manifest.json", "model.onnx"):
            (run / name).write_bytes((other / name).read_bytes())
        files.served["flowers"].looked = -math.inf
        files.live("flowers")
        assert (files.served["flowers"].model.card.task == "regression") is any_reload
    assert "expected the task multiclass, got regression" in capsys.readouterr().out


def test_a_changed_file_is_opened_beside_the_requests(run: Path) -> None:
    """The previous model answers while the new one is being opened, which happens once."""
    files, waiting = Files.of(find([str(run)])), []
    files.beside = waiting.append
    before = files.live("flowers")
    place_run(run, "multiclass", "run-1111111111111111")
    for _ in range(3):
        files.served["flowers"].looked = -math.inf
        assert files.live("flowers") == before
    (opening,) = waiting
    thread = threading.Thread(target=opening)
    thread.start()
    thread.join()
    after = files.live("flowers")
    assert after is not None and after.run == "run-1111111111111111"


def test_an_unloaded_model_does_not_break_a_request_under_way(run: Path) -> None:
    files = Files.of(find([str(run)]))
    row = files.live("flowers")
    assert row is not None
    files.unload("flowers")
    assert files.live("flowers") is None
    with pytest.raises(ModelFault, match="unloaded"):
        files.load(row)


def test_the_image_runs_as_a_number() -> None:
    """Kubernetes' `runAsNonRoot` refuses a user that is a name."""
    assert re.search(r"^USER [1-9]\d*$", (ROOT / "docker" / "serve.Dockerfile").read_text(), re.MULTILINE)
