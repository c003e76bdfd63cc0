"""What the documents promise exists: files that are linked, make targets, sections, figures with their command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
"""Pages that describe the code of today; decisions, experiments and the CHANGELOG keep the paths of their time."""

NAMED_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
"""Something in backticks that may be a path: no spaces, placeholders or slashes in front."""

LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def sources_named_in(text: str) -> list[str]:
    """The paths below one of the repository's source folders that a page names in backticks."""
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    folders |= {"docs", "tests", "docker", "requirements"}
    return [name for name in NAMED_PATH.findall(text) if "/" in name and name.partition("/")[0] in folders]


@pytest.mark.parametrize("page", [page for page in GUIDES if page.name != "experiments.md"], ids=lambda page: page.name)
def test_every_source_path_that_a_page_names_exists(page: Path) -> None:
    assert [name for name in sources_named_in(page.read_text()) if not (ROOT / name).exists()] == []


def test_source_paths_are_recognised() -> None:
    text = "`cdk_app/api.py`, `lambdas/common/`, `runs/<run>/`, `/v2/health/live`, `tests/docs` and `docker build -f x`"
    assert sources_named_in(text) == ["cdk_app/api.py", "lambdas/common/", "tests/docs"]


def test_the_pages_name_source_paths() -> None:
    assert len(sources_named_in((ROOT / "docs" / "architecture.md").read_text())) >= 30


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_make_target_in_the_documents_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"`make ([a-z][a-z-]*)|^make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))
    assert {first or second for first, second in used} - targets == set()


def test_every_folder_in_the_table_of_the_readme_exists() -> None:
    table = (ROOT / "README.md").read_text().partition("## Where to look")[2]
    rooms = re.findall(r"`([a-z_/.]+)`", table)
    assert [room for room in rooms if not (ROOT / room).exists()] == []
    assert len(rooms) >= 6


def test_committed_results_have_the_shape_that_is_promised() -> None:
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        result = json.loads(path.read_text())
        assert set(result) == {"when", "machine", "versions", "command", "rows"}, path.name
        fields = {"measure", "value", "unit", "better", "target", "peer", "peer_value"}
        assert all(set(row) == fields and row["better"] in ("lower", "higher") for row in result["rows"]), path.name


def test_the_figures_of_the_readme_are_those_of_the_committed_run() -> None:
    text = (ROOT / "README.md").read_text()
    result = json.loads((ROOT / "benchmarks" / "results" / "pipeline.json").read_text())
    lines = [line for line in text.splitlines() if line.startswith("| ") and line.endswith(" s |")]
    values = {row["measure"]: f"{row['value']:.1f} s" for row in result["rows"]}
    shown = dict(line.strip("| ").rsplit(" | ", 1) for line in lines)
    assert len(shown) == 4
    assert {measure: values[measure] for measure in shown} == shown


def test_the_factors_of_the_serving_page_are_those_of_the_committed_run() -> None:
    lines = (ROOT / "docs" / "serve.md").read_text().splitlines()
    result = json.loads((ROOT / "benchmarks" / "results" / "serving.json").read_text())
    shown = [line.strip("| ").split(" | ") for line in lines if line.endswith(" × |")]
    found = {
        count: [row["value"] for row in result["rows"] if re.match(rf"{count} rows?: .* / dropforge", row["measure"])]
        for count in (1, 1000)
    }
    assert [[one, many] for *_, one, many in shown] == [
        [f"{one:.2f} ×", f"{many:.2f} ×"] for one, many in zip(found[1], found[1000], strict=True)
    ]
    assert len(shown) == 5
