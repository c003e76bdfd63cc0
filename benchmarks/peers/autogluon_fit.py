"""AutoGluon on a CSV, in an environment of its own: it is no dependency of this project.

PYTHON_WITH_AUTOGLUON benchmarks/peers/autogluon_fit.py TRAIN.csv TEST.csv TARGET METRIC SECONDS FOLDER OUT.npy
"""

import sys

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor

train, test, target, metric, seconds, folder, out = sys.argv[1:]
names = {"auc": "roc_auc", "logloss": "log_loss", "rmse": "rmse"}
kinds = {"auc": "binary", "logloss": "multiclass", "rmse": "regression"}
rows, asked = pd.read_csv(train), pd.read_csv(test)
if metric != "rmse":
    rows[target] = rows[target].astype(str)
predictor = TabularPredictor(
    label=target, problem_type=kinds[metric], eval_metric=names[metric], path=folder, verbosity=0
).fit(rows, presets="medium_quality", time_limit=float(seconds), num_cpus=2)
asked = asked.drop(columns=target)
if metric == "rmse":
    found = predictor.predict(asked).to_numpy()
else:
    shares = predictor.predict_proba(asked)
    found = shares[sorted(shares.columns)].to_numpy()
np.save(out, found)
