"""`fv COMMAND`: the same program as `flask COMMAND`, without Flask's own commands for developers."""

from flask.cli import FlaskGroup

from fv import create_app

main = FlaskGroup(
    name="fv",
    create_app=create_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    help="FaceVault: identity verification behind a second factor that cannot be switched off.",
)

main.params = []  # Flask's own: another app, a .env file, a debugger. None of them belongs on a vault.
