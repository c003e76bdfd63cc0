"""The app that the CDK CLI runs: `python -m cdk_app.app`."""

from __future__ import annotations

from aws_cdk import App, CliCredentialsStackSynthesizer

from cdk_app.settings import Settings
from cdk_app.stack import Dropforge


def make(app: App) -> Dropforge:
    """Adds the stack to `app`, with the settings of its context."""
    return Dropforge(
        app, "Dropforge", settings=Settings.from_context(app.node), synthesizer=CliCredentialsStackSynthesizer()
    )


if __name__ == "__main__":
    app = App()
    make(app)
    app.synth()
