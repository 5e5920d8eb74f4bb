"""Settings are read once and refused loudly, with the name and the reason and never the value."""

import os
import stat
from pathlib import Path

import pytest

from fv import config, create_app, spelling
from fv.analysis import detectors
from fv.analysis.scoring import Policy
from fv.config import Misconfigured
from fv.throttle.policy import Rate


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start with these variables and this facevault.cfg, in an instance folder of its own."""
    instance = tmp_path / "instance"

    def starts(cfg: str = "", **variables: str):
        for name in [name for name in os.environ if name.startswith("FV_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("FV_INSTANCE", str(instance))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        instance.mkdir(mode=0o700, exist_ok=True)
        (instance / "facevault.cfg").write_text(cfg)
        return create_app()

    return starts


def test_the_numbers_of_the_contract_are_the_defaults(start):
    settings = start().config
    assert settings["CODE_FAILURES"] == (Rate(5, 900), Rate(20, 86400))
    assert settings["PASSWORD_FAILURES"] == (Rate(10, 900),)
    assert settings["PASSWORD_FAILURES_ADDRESS"] == (Rate(30, 900),)
    assert settings["SIGN_UPS_ADDRESS"] == (Rate(200, 3600),)
    assert settings["PASSWORD_LENGTH"] == 12
    assert (settings["LOGIN_PENDING"], settings["LOGIN_IDLE"], settings["LOGIN_LIFETIME"]) == (300, 43200, 604800)
    assert (settings["REGISTRATION"], settings["ISSUER"]) == ("first", "FaceVault")
    assert (settings["SUPPORT_WINDOW"], settings["ADMIN_EMAIL"], settings["SMTP_URL"]) == (86400, None, None)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("FV_REGISTRATION", "maybe", "one of first, open, closed"),
        ("FV_ISSUER", "Face:Vault", "without a colon"),
        ("FV_ISSUER", "", "1 to 64 printable"),
        ("FV_CODE_FAILURES", "", "one or more of COUNT/TIME"),
        ("FV_CODE_FAILURES", "0/15m", "count from 1 to 10000"),
        ("FV_CODE_FAILURES", "5/15", "a number with s, m, h or d"),
        ("FV_CODE_FAILURES", "5", "COUNT/TIME"),
        ("FV_FACE_MODEL", "../sface", "1 to 64 of a-z"),
        ("FV_LOGIN_IDLE", "400d", "from 1s to 366d"),
        ("FV_PASSWORD_LENGTH", "7", "from 8 to 128"),
        ("FV_PASSWORD_LENGTH", "twelve", "from 8 to 128"),
        ("FV_TRUSTED_PROXIES", "10.0.0.300", "addresses or networks"),
        ("FV_BASE_URL", "verify.example.org", "https://verify.example.org"),
        ("FV_BASE_URL", "https://a:b@example.org", "https://verify.example.org"),
        ("FV_BASE_URL", "https://example.org/path", "nothing behind the host"),
        ("FV_BASE_URL", "ftp://example.org", "https://verify.example.org"),
        ("FV_DATABASE", "postgresql://localhost/fv", "SQLite only"),
        ("FV_DATABASE", "/tmp/x.db", "sqlite:///FILE"),
        ("FV_DATABASE", "sqlite:///", "sqlite:///FILE"),
        ("FV_BLOBS", "s3://bucket/photos", "on this machine only"),
        ("FV_BLOBS", "https://example.org/", "on this machine only"),
        ("FV_BLOBS", "file://elsewhere/blobs", "file:///FOLDER"),
        ("FV_BLOBS", "file:blobs", "file:///FOLDER"),
        ("FV_BLOBS", "file:///blobs?x=1", "file:///FOLDER"),
        ("FV_HASH_MEMORY_KIB", "1024", "from 19456"),
        ("FV_ADMIN_EMAIL", "root", "an email address"),
        ("FV_SMTP_URL", "mail.example.org", "smtp://"),
        ("FV_SMTP_URL", "smtp://user:secret@", "smtp://"),
        ("FV_SUPPORT_WINDOW", "1", "a number with s, m, h or d"),
        ("FV_ACCEPT_FROM", "0", "from 1 to 101"),
        ("FV_REJECT_BELOW", "101", "from 0 to 100"),
        ("FV_DETECTORS", "same_file=never", "NAME=MODE"),
        ("FV_DETECTORS", "same_flie=block", "detectors that are installed: same_still"),
        ("FV_PLANS", "/nowhere/secret.toml", "a file of plans that can be read"),
        ("FV_INVOICE_FROM", "x" * 101, "up to 10 lines"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_the_reason(start, name, value, reason):
    with pytest.raises(Misconfigured) as refused:
        start(**{name: value})
    assert refused.value.message.startswith(f"{name}: ") and reason in refused.value.message
    assert "secret" not in refused.value.message
    with pytest.raises(Misconfigured, match=name):
        start(f"{name} = {value}\n")


def test_scores_leave_room_for_a_person(start):
    settings = start().config
    assert settings["POLICY"] == Policy(70, 40) and settings["DETECTORS"] == dict(detectors.DEFAULTS)
    assert start(FV_ACCEPT_FROM="101", FV_REJECT_BELOW="0").config["POLICY"] == Policy(101, 0)
    with pytest.raises(Misconfigured, match="FV_REJECT_BELOW has to be less than FV_ACCEPT_FROM"):
        start(FV_ACCEPT_FROM="40")


def test_an_unknown_name_is_refused(start):
    with pytest.raises(Misconfigured, match="FV_REGISTRATON in the environment is not a setting"):
        start(FV_REGISTRATON="open")
    with pytest.raises(Misconfigured, match=r"FV_SKIP_SECOND_FACTOR in facevault\.cfg is not a setting"):
        start("FV_SKIP_SECOND_FACTOR = 1")
    with pytest.raises(Misconfigured, match="It can be set in the environment only"):
        start("FV_INSTANCE = elsewhere")
    with pytest.raises(Misconfigured, match=r"REGISTRATION in facevault\.cfg is not a setting"):
        start("REGISTRATION = open")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(start):
    cfg = "# a comment\n\nFV_ISSUER = From the file\nFV_REGISTRATION=closed\n"
    settings = start(cfg, FV_REGISTRATION="open").config
    assert (settings["ISSUER"], settings["REGISTRATION"]) == ("From the file", "open")


@pytest.mark.parametrize("line", ["FV_ISSUER", "FV_ISSUER = a\nFV_ISSUER = b"])
def test_a_line_that_is_no_setting_is_refused_with_its_number(start, line):
    with pytest.raises(Misconfigured, match=r"facevault\.cfg, line"):
        start(line)


def test_a_value_can_be_in_a_file_but_not_in_two_places(start, tmp_path):
    file = tmp_path / "issuer"
    file.write_text("Quiet Room\n")
    assert start(FV_ISSUER_FILE=str(file)).config["ISSUER"] == "Quiet Room"
    with pytest.raises(Misconfigured, match="FV_ISSUER and FV_ISSUER_FILE are both set"):
        start(FV_ISSUER_FILE=str(file), FV_ISSUER="x")
    with pytest.raises(Misconfigured, match=r"FV_ISSUER_FILE: cannot read the file it names \(FileNotFoundError\)"):
        start(FV_ISSUER_FILE=str(tmp_path / "nowhere"))


def test_values_are_spelled_for_people(start):
    settings = start(
        FV_BASE_URL="https://Verify.Example.org:8443/",
        FV_TRUSTED_PROXIES="10.0.0.5, 172.16.0.0/12",
        FV_CODE_FAILURES="3/90s",
    ).config
    assert settings["BASE_URL"] == "https://verify.example.org:8443"
    assert [str(network) for network in settings["TRUSTED_PROXIES"]] == ["10.0.0.5/32", "172.16.0.0/12"]
    assert settings["CODE_FAILURES"] == (Rate(3, 90),)


# ── The secret key ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_key_is_made_at_first_start_and_kept(start, tmp_path):
    start()
    key = tmp_path / "instance" / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and len(key.read_text().strip()) == 64
    before = key.read_text()
    start()
    assert key.read_text() == before


def test_two_installations_never_share_a_key(tmp_path):
    keys = []
    for name in ("one", "two"):
        create_app(INSTANCE=tmp_path / name)
        keys.append((tmp_path / name / "secret.key").read_text())
    assert keys[0] != keys[1]


def test_a_missing_key_is_not_made_again_beside_a_database(start, tmp_path):
    start()
    (tmp_path / "instance" / "secret.key").unlink()
    with pytest.raises(Misconfigured, match="Put the file back from your backup"):
        start()


def test_a_key_that_others_can_read_is_refused(start, tmp_path):
    start()
    (tmp_path / "instance" / "secret.key").chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        start()


def test_the_key_can_be_kept_elsewhere_and_is_made_there(start, tmp_path):
    elsewhere = tmp_path / "keys" / "facevault.key"
    start(FV_SECRET_KEY_FILE=str(elsewhere))
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert not (tmp_path / "instance" / "secret.key").exists()
    elsewhere.chmod(0o444)  # as a container platform mounts a secret
    start(FV_SECRET_KEY_FILE=str(elsewhere))


def test_a_key_file_that_cannot_be_read_is_refused(start, tmp_path):
    with pytest.raises(Misconfigured, match=r"FV_SECRET_KEY_FILE: cannot read the file it names \(IsADirectoryError\)"):
        start(FV_SECRET_KEY_FILE=str(tmp_path))


def test_the_key_can_be_in_the_environment_and_is_nowhere_in_the_settings(start):
    key = "k" * 40
    app = start(FV_SECRET_KEY=key)
    assert key not in repr(app.config) + repr(app.extensions)
    with pytest.raises(Misconfigured, match="both set"):
        start(FV_SECRET_KEY=key, FV_SECRET_KEY_FILE="/nowhere")


def test_a_key_that_is_too_short_is_refused_without_showing_it(start):
    with pytest.raises(Misconfigured, match="FV_SECRET_KEY, or the file it is in: one key a line") as refused:
        start(FV_SECRET_KEY="hunter2")
    assert "hunter2" not in refused.value.message


def test_a_key_that_does_not_belong_to_the_database_stops_the_start(make_app, ada, monkeypatch):
    monkeypatch.setenv("FV_SECRET_KEY", "another key, of more than 32 characters")
    with pytest.raises(Misconfigured, match=r"does not belong to .*facevault\.db: it opens nothing in it"):
        make_app()
    monkeypatch.delenv("FV_SECRET_KEY")
    make_app()


def test_the_instance_folder_is_closed_to_others_and_must_be_usable(tmp_path):
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o755)
    create_app(INSTANCE=open_folder)
    assert stat.S_IMODE(open_folder.stat().st_mode) == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="FV_INSTANCE: cannot use the folder"):
        create_app(INSTANCE=tmp_path / "file")


def test_without_a_setting_the_folder_is_beside_wsgi_py_or_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.delenv("FV_INSTANCE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert config.instance_folder(Path("/nowhere")) == tmp_path / "instance"
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "wsgi.py").write_text("")
    assert config.instance_folder(checkout) == checkout / "instance"


@pytest.mark.parametrize(
    ("value", "path"),
    [("", None), ("/srv/blobs", "/srv/blobs"), ("file:///srv/my%20blobs", "/srv/my blobs"), ("./a:b", "./a:b")],
)
def test_blobs_are_kept_in_a_folder_or_at_a_file_address(value, path):
    assert spelling.blobs(value) == (Path(path).absolute() if path else None)
