"""The wheel, installed in an environment that has the dependencies and nothing of this checkout, serves the product."""

import re
import site
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.live import Server

ROOT = Path(__file__).parent.parent


@pytest.fixture
def wheel(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", "."]
    sources = tmp_path / "sources"  # setuptools writes build/ and *.egg-info beside what it builds
    files = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, files):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([*build, str(sources)], cwd=tmp_path, check=True, capture_output=True)
    (made,) = tmp_path.glob("facevault_server-*.whl")
    return made


class Installed(Server):
    """`fv` of the clean environment, in a folder that is no checkout."""

    def __init__(self, folder: Path, bin: Path) -> None:
        super().__init__(folder)
        self.bin = bin

    def command(self, *words):
        return [str(self.bin / "fv"), *words]

    def environment(self):
        plain = {name: value for name, value in super().environment().items() if not name.startswith(("FV_", "PYTHON"))}
        return plain | {"FV_HASH_MEMORY_KIB": "19456"}


@pytest.mark.long
def test_the_wheel_serves_a_page_a_stylesheet_and_a_script(wheel, tmp_path):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"fv/templates/mfa/setup.html", "fv/static/vendor/htmx-2.0.11.min.js", "fv/schema/001_accounts.sql"} <= set(
        names
    )
    assert not [name for name in names if name.startswith(("tests/", "instance/", "bench/"))]

    clean = tmp_path / "clean"
    venv.create(clean, with_pip=False)
    (packages,) = clean.glob("lib/python*/site-packages")
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(clean / "bin" / "python"),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    server = Installed(elsewhere, clean / "bin")
    server.instance = elsewhere / "instance"
    try:
        server.start()
        where = [str(clean / "bin" / "python"), "-c", "import fv; print(fv.__file__)"]
        assert (
            str(packages)
            in subprocess.run(where, cwd=elsewhere, env=server.environment(), capture_output=True, text=True).stdout
        )
        with server.client() as client:
            page = client.get("/login").text
            for address in re.findall(r'(?:href|src)="(/static/[^"#]+)"', page):
                answer = client.get(address)
                assert answer.status_code == 200 and len(answer.content) > 200, address
            assert client.post("/register", data={"email": "ada@example.org", "password": PASSWORD}).status_code == 303
            assert "<svg viewBox" in client.get("/setup").text
        assert (server.instance / "facevault.db").exists()
    finally:
        server.ends()


def test_the_metadata_names_the_distribution_and_the_command(wheel):
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith("METADATA")]
    text = archive.read(metadata).decode()
    assert "Name: facevault-server" in text and "Apache-2.0" in text and "Requires-Python: >=3.11" in text
    (entry,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    assert "fv = fv.cli:main" in archive.read(entry).decode()


def test_there_is_one_cv2_and_it_is_the_one_without_windows():
    """Two distributions of it overwrite each other's files; rapidocr asks for the headless one itself."""
    assert packages_distributions()["cv2"] == ["opencv-python-headless"]


def test_the_wheel_holds_the_programs_that_are_run_by_their_path(wheel):
    assert {"fv/analysis/inside.py", "fv/evidence/inside.py"} <= set(zipfile.ZipFile(wheel).namelist())
