"""Made-up templates, and an account to keep them in."""

import math
from random import Random

import pytest

from fv import db
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.fingerprints import flows, vector
from fv.fingerprints.flows import Face, Template
from fv.fingerprints.store import Space

NOW = 1_800_000_000
SPACE = Space("model-1", "ab" * 32, "1")


def template(number):
    """The same for the same number, and nothing like that of another."""
    draw = Random(number)
    return vector.unit([draw.gauss(0, 1) for _ in range(128)])


def near(base, cosine, number=99):
    """A template whose cosine with `base` is this."""
    other = template(number)
    along = vector.cosine(base, other)
    across = vector.unit([o - along * b for o, b in zip(other, base, strict=True)])
    return [cosine * b + math.sqrt(1 - cosine * cosine) * a for b, a in zip(base, across, strict=True)]


def account(id="acc_ada"):
    assert accounts.add(Account(id, f"{id}@example.org", "no password", "free", NOW))
    return id


def keep(account_id, users, mode="live", space=SPACE):
    """A template for each of {external_user_id: number}; their ids, in this order."""
    with db.transaction():
        new = [Template(user, template(number)) for user, number in users.items()]
        return flows.add(account_id, mode, space, new, NOW)


def found(account_id, numbers, most=5, mode="live", space=SPACE):
    """Who is found, best first, with cosines that equal what float32 makes of them."""
    answer = flows.search(account_id, mode, Face(space, numbers), most, -1.0)
    return [(hit.fingerprint.external_user_id, pytest.approx(hit.similarity, abs=1e-6)) for hit in answer.hits]


def by_hand(users, numbers, most=5):
    """The same, of {external_user_id: number}, without any of the code that is tested."""
    cosines = {user: math.fsum(a * b for a, b in zip(numbers, template(n), strict=True)) for user, n in users.items()}
    return sorted(cosines.items(), key=lambda pair: -pair[1])[:most]
