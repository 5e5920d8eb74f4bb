"""A database of an older version, with templates in it, goes on with this one."""

from contextlib import closing
from importlib.resources import files

from fv import db
from fv.db import sqlite
from fv.fingerprints import flows, listing, rekeying, rotation, store, vector
from fv.fingerprints.flows import Face
from fv.fingerprints.store import Space
from fv.sealing import Keyring
from tests.templates import NOW, template

KEY = "k" * 64
SPACES = {"model-1": Space("model-1", "ab" * 32, "1"), "model-2": Space("model-2")}


def at_step_13(path, steps):
    """Two accounts, the first with two rotations, templates of two models and modes."""
    steps.mkdir()
    for step in files("fv.schema").iterdir():
        if step.name.endswith(".sql") and int(step.name[:3]) <= 13:
            (steps / step.name).write_text(step.read_text())
    sqlite.prepare(path, steps)
    keyring, kept = Keyring(KEY), []
    with closing(sqlite.connect(path)) as connection:
        for account, generations in (("acc_ada", (1, 2)), ("acc_eve", (1,))):
            connection.execute(
                "INSERT INTO accounts (id, email, password_hash, created_at) VALUES (?, ?, 'x', 0)",
                (account, f"{account}@example.org"),
            )
            for generation in generations:
                seed = bytes([generation]) * 32
                sealed = keyring.seal(seed, bound_to=f"rotation {account} {generation}")
                connection.execute("INSERT INTO rotations VALUES (?, ?, ?, 0)", (account, generation, sealed))
                for number in range(6):
                    mode, model = ("live", "test")[number % 2], ("model-1", "model-2")[number // 3]
                    own = 100 * len(kept) + number
                    id = f"fp_{account}_{generation}_{number}"
                    packed = vector.pack(rotation.of(seed).turn(template(own)))
                    space = SPACES[model]
                    connection.execute(
                        "INSERT INTO fingerprints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (id, account, f"vs_{own}", f"user {own}", mode, model, space.model_sha256,
                         space.preprocessing, generation, packed, NOW + number),
                    )  # fmt: skip
                    kept.append((id, account, mode, model, own))
    return kept


def test_templates_of_the_older_schema_are_found_and_can_be_moved(tmp_path, make_app):
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    kept = at_step_13(instance / "facevault.db", tmp_path / "steps")
    app = make_app(SECRET_KEY=KEY)
    assert (instance / "facevault.db.step-13").exists()
    with app.app_context():
        everybody_is_found(kept)
        rekeying.rekey_account("acc_ada", NOW, lambda _done, _all: None)
        everybody_is_found(kept)
        assert flows.generations("acc_ada") == [2], "the move that the older version had begun was finished"
        assert [one.size for one in store.galleries("acc_ada")] == [4, 4, 2, 2]
        assert db.many(dict, "PRAGMA foreign_key_check") == [] and db.facts().damage is None


def everybody_is_found(kept):
    for id, account, mode, model, own in kept:
        face = Face(SPACES[model], template(own))
        answer = flows.search(account, mode, face, 1, -1.0)
        (hit,) = answer.hits
        assert (hit.fingerprint.id, round(hit.similarity, 6)) == (id, 1.0)
        assert hit.fingerprint == listing.find(account, id, mode) == listing.of_session(account, f"vs_{own}")[0]
        theirs = [one for one in kept if one[1:4] == (account, mode, model)]
        assert answer.searched == len(theirs)
