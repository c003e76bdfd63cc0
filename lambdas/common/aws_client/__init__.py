"""Reads of S3 and DynamoDB without boto3, whose import and client cost a cold start more than onnxruntime does.

The clients take and give what the boto3 methods of the same names do, as far as Predict asks them; why they are written
here is in `docs/decisions/0013-no-boto3-on-the-cold-path.md`.
"""
