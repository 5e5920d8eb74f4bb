"""Receipts: what was erased and looked for, signed so that a change of one letter shows. Pure.

The signature is Ed25519 (RFC 8032 §5.1) over the receipt without it: JSON in UTF-8, names sorted, without spaces.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KIND = "facevault-erasure-1"
SEED = 32  # bytes


def public_key(seed: bytes) -> str:
    """Base64 of its 32 bytes."""
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()).decode()


def key_id(public: str) -> str:
    """`rk_` and half of the SHA-256 of the public key."""
    return f"rk_{hashlib.sha256(base64.b64decode(public)).hexdigest()[:32]}"


def signed(said: Mapping[str, object], seed: bytes) -> dict[str, object]:
    """With the key's id and the signature."""
    whole = {**said, "key": key_id(public_key(seed))}
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(_canonical(whole))
    return {**whole, "signature": base64.b64encode(signature).decode()}


def is_signed(receipt: Mapping[str, object], public: str) -> bool:
    """Whether the holder of this key has signed exactly this."""
    signature = receipt.get("signature")
    said = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(str(signature), validate=True), _canonical(said))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _canonical(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
