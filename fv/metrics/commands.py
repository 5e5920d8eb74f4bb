"""`fv metrics`: numbers for a program that watches the service."""

import click
from flask.cli import with_appcontext

from fv import clock
from fv.metrics import flows


@click.command()
@with_appcontext
def metrics() -> None:
    """Print how the analysis is doing, in the text format of Prometheus."""
    for line in flows.lines(clock.now()):
        click.echo(line)
