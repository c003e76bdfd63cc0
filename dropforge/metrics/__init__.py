"""The one definition of every score, in numpy: the trainer and Judge share it, so that a name means one thing.

- `scores`: the metrics of regression and classification; `clusters` and `lists`: those of the other tasks.
- `weighted`, `clusters_weighted` and `users`: the same metrics over many weightings of the rows, for the bootstrap.
- `resampling` and `intervals`: bootstrap resamples, and the intervals that come of them.
- `baseline`: what knowing nothing but the training targets answers.
- `evaluation`: all of it together, a model against its baseline and against another model.
- `sequential`, `evidence`, `phases`, `decision` and `sketches`: a version on trial against the one that serves, row by
  row as requests come, in the standard library alone; `evidence_page` and `linechart` draw it.
"""
