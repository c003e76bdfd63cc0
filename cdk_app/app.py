"""The app that the CDK CLI runs: `python -m cdk_app.app`."""

from __future__ import annotations

import sys

from aws_cdk import App, CliCredentialsStackSynthesizer

from cdk_app.context_values import SettingFault
from cdk_app.settings import Settings
from cdk_app.stack import Dropforge


def make(app: App) -> Dropforge:
    """Adds the stack to `app`, with the settings of its context.

    Raises:
        SettingFault: there is no such setting, or its value cannot be used.
    """
    settings = Settings.from_context(app.node.get_all_context())
    return Dropforge(app, settings.stack, settings=settings, synthesizer=CliCredentialsStackSynthesizer())


if __name__ == "__main__":
    app = App()
    try:
        make(app)
    except SettingFault as fault:
        sys.exit(str(fault))
    app.synth()
