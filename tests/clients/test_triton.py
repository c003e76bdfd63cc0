"""`tritonclient[http]`, unmodified, at its default settings: binary tensors there and back, sync and asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

from tests.serving.little import little

if TYPE_CHECKING:
    from tests.serve.conftest import Server

COUNT = 5


def inputs(task: str = "multiclass", kind: Any = np.float32, binary: bool = True) -> list[Any]:
    """The first rows of a little model, a tensor a column, as a caller of Triton would make them."""
    made, found = little(task), []
    for column in made.card.columns:
        values = made.columns[column.name][:COUNT]
        if column.kind == "number":
            array = np.array([[np.nan if value is None else value] for value in values], kind)
        else:
            array = np.array([[value or ""] for value in values], object)
        one = triton.InferInput(column.name, list(array.shape), triton_type(array))
        one.set_data_from_numpy(array, binary_data=binary)
        found.append(one)
    return found


def triton_type(array: np.ndarray) -> str:
    return {"float32": "FP32", "float64": "FP64", "object": "BYTES"}[str(array.dtype)]


@pytest.fixture
def client(server: Server) -> Any:
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as made:
        yield made


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("flowers") and not client.is_model_ready("trees")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata("flowers")
    assert [each["name"] for each in metadata["inputs"]] == ["x0", "x1", "x2", "x3", "colour"]
    assert client.is_model_ready("flowers", metadata["versions"][0])
    assert not client.is_model_ready("flowers", "0")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_answers_of_the_simple_api(server: Server, client: Any, kind: Any) -> None:
    expected = server.predict("flowers", little("multiclass").rows(COUNT)).body
    result = client.infer("flowers", inputs(kind=kind), request_id="7")
    assert result.get_response()["id"] == "7"
    assert result.as_numpy("prediction")[:, 0].tolist() == expected["predictions"]
    shares = [list(row.values()) for row in expected["probabilities"]]
    near = 0 if kind is np.float64 else 1e-6
    np.testing.assert_allclose(result.as_numpy("probabilities"), shares, rtol=0, atol=near)
    assert result.as_numpy("probabilities").dtype == np.float32


def test_numbers_and_a_chosen_version(server: Server, client: Any) -> None:
    expected = server.predict("houses", little("regression").rows(COUNT)).body
    result = client.infer("houses", inputs("regression", np.float64), model_version=expected["version"])
    assert result.as_numpy("prediction")[:, 0].tolist() == expected["predictions"]
    assert result.get_response()["model_version"] == expected["version"]


def test_json_in_and_chosen_outputs(client: Any) -> None:
    binary = client.infer("flowers", inputs())
    wanted = [triton.InferRequestedOutput("prediction", binary_data=False), triton.InferRequestedOutput("ids")]
    given = [each for each in inputs() if each.name() not in ("x1",)]
    gap = triton.InferInput("x1", [COUNT, 1], "FP32")
    gap.set_data_from_numpy(np.array([[value or np.nan] for value in little("multiclass").columns["x1"][:COUNT]],
                                     np.float32))  # fmt: skip
    result = client.infer("flowers", [*given, gap], outputs=wanted)
    assert result.as_numpy("prediction").tolist() == binary.as_numpy("prediction").tolist()
    assert len(set(result.as_numpy("ids")[:, 0])) == COUNT
    assert result.as_numpy("probabilities") is None


def test_a_refusal_is_an_exception_with_our_words(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="x0: expected a value in every row") as caught:
        client.infer("flowers", inputs()[1:])
    assert caught.value.status() == "422"
    with pytest.raises(InferenceServerException, match="no version is live"):
        client.infer("trees", inputs())


def test_asynchronous_requests(server: Server, client: Any) -> None:
    expected = client.infer("flowers", inputs()).as_numpy("prediction").tolist()
    waiting = [client.async_infer("flowers", inputs()) for _ in range(3)]
    assert [each.get_result().as_numpy("prediction").tolist() for each in waiting] == [expected] * 3

    async def asked() -> list[Any]:
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{server.port}") as own:
            assert await own.is_server_ready() and await own.is_model_ready("flowers")
            results = await asyncio.gather(*(own.infer("flowers", inputs()) for _ in range(3)))
            return [each.as_numpy("prediction").tolist() for each in results]

    assert asyncio.run(asked()) == [expected] * 3


def test_a_missing_number_in_json_mode_is_the_one_of_binary_mode(client: Any) -> None:
    """The client writes the literal NaN into its JSON."""
    assert any(value is None for value in little("multiclass").columns["x1"][:COUNT])
    binary, in_json = (client.infer("flowers", inputs(binary=each)) for each in (True, False))
    assert in_json.as_numpy("prediction").tolist() == binary.as_numpy("prediction").tolist()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests(client: Any, algorithm: str) -> None:
    plain = client.infer("flowers", inputs())
    packed = client.infer(
        "flowers", inputs(), request_compression_algorithm=algorithm, response_compression_algorithm=algorithm
    )
    assert packed.as_numpy("prediction").tolist() == plain.as_numpy("prediction").tolist()


def test_all_outputs_of_the_metadata_are_answered(client: Any) -> None:
    result = client.infer("flowers", inputs())
    for each in client.get_model_metadata("flowers")["outputs"]:
        assert result.as_numpy(each["name"]) is not None, each["name"]


def test_errors_of_the_server_itself_are_exceptions_with_words(client: Any) -> None:
    with pytest.raises(InferenceServerException) as absent:
        client.get_model_config("flowers")
    assert "no such route" in str(absent.value)
    with pytest.raises(InferenceServerException) as unloaded:
        client.unload_model("flowers")
    assert "--repository" in str(unloaded.value)
    large = triton.InferInput("x0", [1_700_000, 1], "FP32")
    large.set_data_from_numpy(np.zeros((1_700_000, 1), np.float32))
    with pytest.raises(InferenceServerException) as refused:
        client.infer("flowers", [large])
    assert "at most 6000000 bytes" in str(refused.value)
