"""The infrastructure, as CDK constructs.

To read it in order: `stack.py` is the table of contents; `pipeline.py` and `batch.py` have the two state machines, and
`pipeline_functions.py`, `batch_functions.py` and `api.py` the functions with their packages and rights. Below those are
`function.py` (a Lambda function), `step.py` (a function that is a state), `workflow.py` (what the state machines share)
and `training.py` (the training job).
"""
