"""The AWS of the laptop: MiniStack as a server of our own, the training seam, and the real `cdk deploy` into it.

`cloud` is the door: `up`, `down` and `status`. Everything else here serves those three or runs inside the server.
"""
