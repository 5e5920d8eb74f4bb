"""`fv models`: which face models there are, and how another one is added."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from fv.analysis.weights import Unfit
from fv.models import flows, registry
from fv.models.flows import Use
from fv.models.names import DEFAULT

#: OpenCV's SFace: raw pixels as RGB (face_recognize.cpp swaps OpenCV's BGR), one person from a cosine of 0.363 on.
SFACE = Use("rgb", 0.0, 1.0, possible=0.29, match=0.363)
POSSIBLE = 0.8  # of `match`, unless it is said: no model comes with a second threshold

models = AppGroup("models", help="The face models: which there are, and how another one is added.")
path = click.Path(path_type=Path, dir_okay=False)


@models.command("list")
def list_models() -> None:
    """Every model, whether its file is the one it was, and which one is chosen."""
    for name in [DEFAULT, *registry.names()]:
        chosen = "chosen" if name == current_app.config["FACE_MODEL"] else "-"
        found = flows.state(name)
        click.echo(f"{name}  {chosen}  {'ready, ' if found.is_usable else 'not usable: '}{found.said}")


@models.command()
@click.argument("file", type=path)
@click.option("--name", help="What it is called; unless given, as the file.")
@click.option(
    "--self-test",
    nargs=3,
    type=path,
    metavar="A1 A2 B",
    help="Two photos of one person, one of another, to try it on.",
)
@click.option("--channels", type=click.Choice(["rgb", "bgr"]), default=SFACE.channels, show_default=True)
@click.option("--mean", default=SFACE.mean, show_default=True, help="A pixel p is given to it as (p - mean) / scale.")
@click.option("--scale", default=SFACE.scale, show_default=True)
@click.option("--match", default=SFACE.match, show_default=True, help="The cosine from which it is one person.")
@click.option("--possible", type=float, help="The cosine from which a person looks; unless given, 0.8 of --match.")
@click.option("--false-match-rate", type=float, help="Of pairs of strangers, the share that it calls a match.")
def add(
    file: Path,
    name: str | None,
    self_test: tuple[Path, Path, Path] | None,
    channels: str,
    mean: float,
    scale: float,
    match: float,
    possible: float | None,
    false_match_rate: float | None,
) -> None:
    """Keep an ONNX model of the ArcFace form: 112 x 112 pixels in, 128 numbers out. The defaults fit OpenCV's SFace."""
    lower = round(POSSIBLE * match, 3) if possible is None else possible
    use = Use(channels, mean, scale, lower, match, false_match_rate)
    try:
        slot, raw = flows.look_at(file, name, use)
        proof = flows.prove(slot, *self_test) if self_test else None
    except Unfit as error:
        raise click.ClickException(str(error)) from None
    if proof:
        click.echo(str(proof))
        if not proof.holds:
            raise click.ClickException("The model was not added: channels, mean, scale or thresholds do not fit it.")
    flows.keep(slot, raw)
    click.echo(f"Added {slot.id}: {slot.layout}, {slot.channels}, match {slot.match:g}, possible {slot.possible:g}.")
    click.echo(f"SHA-256 {slot.sha256}")
    if not proof:
        click.echo("It was not tried on faces: --self-test does that, and shows wrong settings.", err=True)
    click.echo(f"FV_FACE_MODEL={slot.id} makes the service use it.", err=True)
