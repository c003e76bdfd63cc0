"""Calls S3 and DynamoDB without boto3, whose import and clients cost a cold start more than onnxruntime does.

The clients have the methods of boto3's that Predict needs, with the same arguments and results. Decision 13
(`docs/decisions/0013-no-boto3-on-the-cold-path.md`) has the reasons.
"""
