"""`python -m cdk_app.app`: what the CDK CLI runs."""

from __future__ import annotations

from aws_cdk import App, CliCredentialsStackSynthesizer

from cdk_app.settings import Settings
from cdk_app.stack import Dropforge


def make(app: App) -> Dropforge:
    """The stack of `app`, as its context asks for it."""
    return Dropforge(
        app, "Dropforge", settings=Settings.from_context(app.node), synthesizer=CliCredentialsStackSynthesizer()
    )


if __name__ == "__main__":
    app = App()
    make(app)
    app.synth()
