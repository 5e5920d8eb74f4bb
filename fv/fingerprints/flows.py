"""The story: the template of a session is turned by the secret of its account and kept, compared with those of others,
and erased with the session.

A template in clear is an argument here and nothing else: it is not stored, returned, logged or put into a message.
"""

import re
import secrets
from collections.abc import Sequence

from flask import current_app

from fv import ids, sealing
from fv.db.sealed import Kind
from fv.fingerprints import rotation, store, vector
from fv.fingerprints.rotation import Rotation
from fv.fingerprints.store import Fingerprint, Neighbour, Space

_NAME = re.compile(r"[a-z0-9._-]{1,64}")


def keep(
    account_id: str, session_id: str, external_user_id: str, mode: str, space: Space, template: Sequence[float],
    now: int,
) -> str:  # fmt: skip
    """The id under which it is kept, in place of what was kept of this session. Inside a transaction.

    Raises vector.Unusable, and ValueError when the model has no name that fits.
    """
    if not _NAME.fullmatch(space.model):
        raise ValueError("the name of a model has 1 to 64 of a-z, 0-9, dot, underscore and dash")
    straight = vector.unit(template)
    generation, turning = _newest(account_id, now)
    store.forget(account_id, session_id)
    id = ids.new("fp")
    store.add(
        Fingerprint(
            id, account_id, session_id, external_user_id, mode, space.model, space.model_sha256, space.preprocessing,
            generation, vector.pack(turning.turn(straight)), now,
        )
    )  # fmt: skip
    return id


def nearest_of_others(
    account_id: str, mode: str, space: Space, template: Sequence[float], external_user_id: str
) -> Neighbour | None:
    """The most similar face of this account that goes by another external_user_id; None when there is nobody else.

    Exact. Faces of live and test sessions, and those of another space, are never compared. Raises vector.Unusable.
    """
    straight, found = vector.unit(template), []
    for one in store.rotations(account_id):  # more than one only while templates move to the newest
        turned = vector.pack(_opened(one).turn(straight))
        found.append(store.nearest(account_id, mode, space, one.generation, turned, external_user_id))
    return max((one for one in found if one), key=lambda one: one.similarity, default=None)


def forget(account_id: str, session_id: str) -> int:
    """Of this session nothing is kept; how many templates there were. What is deleted is overwritten (db/sqlite.py)."""
    return store.forget(account_id, session_id)


def _newest(account_id: str, now: int) -> tuple[int, Rotation]:
    """The rotation of the account, made with its first template. Inside a transaction."""
    found = store.rotations(account_id)
    if not found:
        seed = secrets.token_bytes(rotation.SEED)
        sealed = _keyring().seal(seed, bound_to=_bound_to(account_id, 1))
        found = [store.Rotation(account_id, 1, sealed, now)]
        store.add_rotation(found[0])
    return found[0].generation, _opened(found[0])


def _opened(one: store.Rotation) -> Rotation:
    return rotation.of(_keyring().open(one.sealed_seed, bound_to=_bound_to(one.account_id, one.generation)))


def _bound_to(account_id: str, generation: int) -> str:
    """What a seed is sealed for: put beside another account or generation, it does not open."""
    return f"rotation {account_id} {generation}"


SEALED = (Kind("seeds of rotations", store.SEEDS, _bound_to),)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
