"""From dropped files to rows that a model can learn from: the half that the trainer and Inspect share.

The order of the way is `reading` (bytes to a `table`, in memory or spilled to disk, its columns counted by `facts`),
`choosing` (target and task), `columns` (kinds, and what is left out), `personal` (what looks like personal data),
`prepare` (clean, split, typed rows), `suspects` (what may give the target away) and `profile` (what the data look
like). Polars and numpy only. Whatever is wrong with the data is a `DataFault` whose message a person can act on.
"""
