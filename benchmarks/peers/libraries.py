"""A peer from a library, as a practitioner would use it: one model, usual settings, early stopping on a tenth.

    python -m benchmarks.peers.libraries NAME TRAIN.csv TEST.csv TARGET TASK OUT.npy

`OUT.npy` gets [N] values or [N, classes] probabilities in the sorted order of the classes.
"""

from __future__ import annotations

import sys
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

ROUNDS, PATIENCE = 3000, 50


def main() -> None:
    """Trains and answers."""
    name, train, test, target, task, out = sys.argv[1:]
    rows, asked = (pl.read_csv(path, infer_schema_length=None) for path in (train, test))
    y: Any = rows[target].to_numpy() if task == "regression" else rows[target].cast(pl.String).to_numpy()
    texts = [each for each in rows.columns if each != target and rows[each].dtype == pl.String]
    numbers = [each for each in rows.columns if each not in (*texts, target)]
    np.save(out, PEERS[name](rows.drop(target), y, asked.drop(target), numbers, texts, task))


def frame(rows: pl.DataFrame, numbers: list[str], texts: list[str]) -> Any:
    """As pandas, texts without gaps."""
    return pd.DataFrame(
        {each: rows[each].to_numpy() for each in numbers} | {each: rows[each].fill_null("").to_list() for each in texts}
    )


def linear(rows: pl.DataFrame, y: Any, asked: pl.DataFrame, numbers: list[str], texts: list[str], task: str) -> Any:
    """Ridge or logistic regression on standardised numbers and one-hot texts."""
    encode = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("t", OneHotEncoder(handle_unknown="ignore", min_frequency=3), texts),
        ]
    )
    model = RidgeCV(np.logspace(-2, 3, 12)) if task == "regression" else LogisticRegression(max_iter=2000)
    return answer(make_pipeline(encode, model).fit(frame(rows, numbers, texts), y), frame(asked, numbers, texts), task)


def hist(rows: pl.DataFrame, y: Any, asked: pl.DataFrame, numbers: list[str], texts: list[str], task: str) -> Any:
    """scikit-learn's histogram gradient boosting with native categories."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250)
    encode = ColumnTransformer([("n", "passthrough", numbers), ("t", codes, texts)])
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    categories = list(range(len(numbers), len(numbers) + len(texts)))
    model = kind(max_iter=1000, early_stopping=True, random_state=0, categorical_features=categories)
    return answer(make_pipeline(encode, model).fit(frame(rows, numbers, texts), y), frame(asked, numbers, texts), task)


def light(rows: pl.DataFrame, y: Any, asked: pl.DataFrame, numbers: list[str], texts: list[str], task: str) -> Any:
    """LightGBM with native categories."""
    known, given = (frame(each, numbers, texts) for each in (rows, asked))
    for each in texts:
        known[each] = known[each].astype("category")
        given[each] = given[each].astype(known[each].dtype)
    kind = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    model = kind(n_estimators=ROUNDS, learning_rate=0.05, verbose=-1, random_state=0)
    part = dict(zip(("x", "v", "yx", "yv"), split(known, y, task), strict=True))
    model.fit(part["x"], part["yx"], eval_set=[(part["v"], part["yv"])],
              callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])  # fmt: skip
    return answer(model, given, task)


def cat(rows: pl.DataFrame, y: Any, asked: pl.DataFrame, numbers: list[str], texts: list[str], task: str) -> Any:
    """CatBoost with native categories."""
    kind = catboost.CatBoostRegressor if task == "regression" else catboost.CatBoostClassifier
    model = kind(iterations=ROUNDS, verbose=False, random_seed=0, allow_writing_files=False, cat_features=texts)
    known, held, y_known, y_held = split(frame(rows, numbers, texts), y, task)
    model.fit(known, y_known, eval_set=(held, y_held), early_stopping_rounds=PATIENCE)
    return answer(model, frame(asked, numbers, texts), task)


def constant(rows: pl.DataFrame, y: Any, asked: pl.DataFrame, _: list[str], __: list[str], task: str) -> Any:
    """The mean, or the shares of the classes."""
    model = DummyRegressor() if task == "regression" else DummyClassifier(strategy="prior")
    return answer(model.fit(rows.to_numpy(), y), asked.to_numpy(), task)


def split(rows: Any, y: Any, task: str) -> Any:
    """Nine tenths to learn from and one to stop by."""
    return train_test_split(rows, y, test_size=0.1, random_state=0, stratify=None if task == "regression" else y)


def answer(model: Any, rows: Any, task: str) -> Any:
    """Values or probabilities."""
    return model.predict(rows) if task == "regression" else model.predict_proba(rows)


PEERS = {"linear": linear, "HistGB": hist, "LightGBM": light, "CatBoost": cat, "constant": constant}

if __name__ == "__main__":
    main()
