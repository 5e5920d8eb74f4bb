"""`fv COMMAND`: the same program as `flask COMMAND`, without Flask's own commands for developers."""

import click
from flask.cli import AppGroup, ScriptInfo

from fv import COMMANDS, create_app


@click.group(cls=AppGroup)
@click.pass_context
def main(context: click.Context) -> None:
    """FaceVault: identity verification behind a second factor that cannot be switched off."""
    context.obj = ScriptInfo(create_app=create_app)


for command in COMMANDS:
    main.add_command(command)
