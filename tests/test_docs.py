"""Whatever a reader of the documentation relies on is there: every setting, every command, every named test."""

import re
from pathlib import Path

import pytest

from fv import COMMANDS, config

ROOT = Path(__file__).parent.parent
OPERATE = (ROOT / "docs" / "operate.md").read_text()
TEXTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def test_every_setting_is_described_with_its_default_and_no_other():
    described = dict(re.findall(r"^\| `FV_(\w+)` \| (.+?) \|", OPERATE, re.M))
    assert set(described) == set(config.SETTINGS) | {"INSTANCE"}
    for name, setting in config.SETTINGS.items():
        if setting.default:
            assert described[name] == f"`{setting.default}`", name


def leaves(command, path="fv"):
    """Every command with its words, those inside groups too."""
    words = f"{path} {command.name}"
    if not hasattr(command, "commands"):
        return [(words, command)]
    return [leaf for inner in command.commands.values() for leaf in leaves(inner, words)]


def test_every_command_and_option_is_described():
    for command in COMMANDS:
        for words, leaf in leaves(command):
            assert re.search(rf"`{words}[` ]", OPERATE), words
            for option in leaf.params:
                if option.param_type_name == "option":
                    assert option.opts[0] in OPERATE, (words, option.opts)


def test_every_test_that_the_security_page_names_exists():
    page = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    written = {
        name
        for path in (ROOT / "tests").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    assert len(named) >= 15 and named <= written
    files = set(re.findall(r"`(test_\w+\.py)`", page))
    assert files and all((ROOT / "tests" / name).exists() for name in files)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(text):
    for target in re.findall(r"\]\(([^)#]+)", text.read_text()):
        assert target.startswith("https://") or (text.parent / target).exists(), target


def test_every_make_target_of_the_readme_exists():
    named = set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text())) - {"it"}
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    assert named <= targets


def test_the_continuous_integration_calls_the_test_command_of_the_readme():
    assert (ROOT / ".ci" / "run").read_text().endswith("\nmake test\nmake long\n")
