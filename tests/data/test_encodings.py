"""Text that is not UTF-8 is read where it surely is Western, and refused with what it may be where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dropforge.client import rowfiles
from dropforge.client.faults import Fault
from dropforge.contract.schema import Column, ModelCard
from dropforge.datasets.faults import DataFault
from dropforge.datasets.reading import read_table, sniff
from dropforge.inference.protocols import sagemaker
from dropforge.inference.rows import from_csv
from lambdas.batch.plan.cutting import open_file

if TYPE_CHECKING:
    from pathlib import Path

WESTERN = {
    "german": ("latin-1", "Stadt,Größe\nKöln,5\nMünchen,3\nGießen,4\n"),
    "german, pairs alone": ("latin-1", "größe,süße\nsüß,5\nweiß,3\n"),
    "finnish": ("latin-1", "määrä,päivä\nJyväskylä,5\nYli-Ii,3\nsää,1\n"),
    "french": ("cp1252", "ville,prix\nÉtréchy,5\nL’Haÿ,3\nŒuilly,4 €\n"),
    "spanish": ("latin-1", "año,niño\nÁvila,5\nCádiz,3\nLogroño,4\n"),
    "english": ("cp1252", "note,rank\nit’s “fine” – really,5\n‘don’t’,3\nthe dog’s,4\n"),
    "english, apostrophes alone": ("cp1252", "name,rank\nO’Neill,5\nD’Arcy,3\nit’s,4\n"),
    "german, quotes": ("cp1252", "titel,jahr\n„Die Räuber“,1782\n„Götz“,1773\n"),
    "signs": ("cp1252", "item,price\nA™,5 €\nB™,3 €\n• C…,4 ‰\n"),
    "spanish capitals": ("cp1252", "CIUDAD,NOTA\nLOGROÑO,5\nCÁDIZ,“ÁÑÓ”\n"),
    "swedish": ("cp1252", "ort,värde\nÅre,5\nMalmö,3\nÖrebro,4\n"),
}
OTHERS = {
    "russian": ("cp1251", "город,цена\nМосква,5\nКазань,3\n", "Москва"),
    "russian unix": ("koi8-r", "город,цена\nМосква,5\nКазань,3\n", "Москва"),
    "chinese": ("gb18030", "城市,价格\n北京,5\n上海,3\n", "城市"),
    "japanese": ("shift_jis", "都市,値段\n北海道,5\n東京,3\n", "北海道"),
    "japanese, kana": ("shift_jis", "city,price\nトルゲルセン,5\n夢の島,3\n", "トルゲルセン"),
    "greek": ("cp1253", "πόλη,τιμή\nΑθήνα,5\nΠάτρα,3\n", "Αθήνα"),
}


@pytest.mark.parametrize("language", WESTERN)
def test_western_text_is_read(language: str, tmp_path: Path) -> None:
    encoding, text = WESTERN[language]
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    table = read_table([path], sniff(path, path.name))
    assert [",".join(row) for row in table.rows()] == text.splitlines()[1:]
    assert table.columns == text.splitlines()[0].split(",")


@pytest.mark.parametrize("language", OTHERS)
def test_other_text_is_refused_with_what_it_may_be_and_read_by_its_name(language: str, tmp_path: Path) -> None:
    encoding, text, word = OTHERS[language]
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(DataFault, match="`encoding:` in spec.yaml") as refused:
        sniff(path, path.name)
    assert f"{encoding} ({word!r})" in str(refused.value)
    table = read_table([path], sniff(path, path.name, encoding))
    assert table.columns == text.splitlines()[0].split(",")
    with pytest.raises(Fault, match="save it as UTF-8"):
        list(rowfiles.of_file(path))


@pytest.mark.parametrize("language", OTHERS)
def test_the_encoding_that_the_owner_named_is_the_one_at_prediction(language: str, tmp_path: Path) -> None:
    encoding, text, _ = OTHERS[language]
    header, *rows = [line.split(",") for line in text.splitlines()]
    card = a_card(*header, encoding=encoding)
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    (batch,) = rowfiles.of_file(path, lambda: rowfiles.Named(encoding))
    assert (list(batch.columns), batch.texts) == (header, rows)
    assert from_csv(path.read_bytes(), card.encoding).columns == from_csv(text.encode()).columns
    assert sagemaker.from_csv(path.read_bytes(), card).columns == sagemaker.from_csv(text.encode(), card).columns
    assert b"".join(open_file(path, path.name, "out", card).blocks).decode() == "".join(
        f"{','.join(row)}\n" for row in rows
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_named_encoding_leaves_unicode_as_it_is(encoding: str, tmp_path: Path) -> None:
    _, text, _ = OTHERS["russian"]
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    (batch,) = rowfiles.of_file(path, lambda: rowfiles.Named("cp1251"))
    assert list(batch.columns) == text.splitlines()[0].split(",")
    assert from_csv(path.read_bytes(), "cp1251").columns == from_csv(text.encode()).columns
    card = a_card(*batch.columns, encoding="cp1251")
    assert open_file(path, path.name, "out", card).file.columns == batch.columns


def a_card(*names: str, encoding: str) -> ModelCard:
    columns = tuple(Column(name, "category") for name in names)
    return ModelCard("m", "run-0123456789abcdef", "regression", "y", "number", (), columns, encoding=encoding)


def test_an_encoding_that_there_is_none_of_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataFault, match="encoding: 'klingon' of 'data.csv'; expected one that Python knows"):
        sniff(path, path.name, "klingon")
