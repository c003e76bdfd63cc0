"""The AWS of a laptop: MiniStack as a local server, the training seam, and the real `cdk deploy` into it.

`cloud` is the door: `up`, `down` and `status`. Everything else here serves those three or runs inside the server.
"""
