"""A stream of bytes sealed under a passphrase, in chunks. Pure, apart from randomness.

Header: `facevault-backup-1`, a line feed, 16 bytes of salt. The key is scrypt (RFC 7914) of the passphrase, N = 2^17,
r = 8, p = 1: 128 MiB and about half a second a guess. Chunks of 64 KiB follow, each AES-256-GCM with its number and,
in the last byte of the nonce, whether it is the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
Vizár, 2015): a chunk that was altered, moved, left out or cut off at the end is noticed.
"""

import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"facevault-backup-1\n"
SALT, TAG, CHUNK = 16, 16, 64 * 1024  # bytes
COST = 2**17


class Unreadable(Exception):
    """Another passphrase, no backup, or one that was altered or cut off. The text says which, where that is known."""


class Writer:
    """Seals what is written. Without close() the file is not whole, and read as cut off."""

    def __init__(self, target: BinaryIO, passphrase: str) -> None:
        salt = secrets.token_bytes(SALT)
        self._target, self._header, self._waiting, self._number = target, MAGIC + salt, bytearray(), 0
        self._cipher = _cipher(passphrase, salt)
        target.write(self._header)

    def write(self, some: bytes) -> int:
        self._waiting += some
        while len(self._waiting) > CHUNK:  # a chunk is sealed once it is known not to be the last one
            self._seal(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]
        return len(some)

    def close(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, is_last), chunk, self._header))
        self._number += 1


class Reader:
    """Opens what a Writer sealed. Raises Unreadable, at the latest when the end is read."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        self._source, self._header, self._number = source, source.read(len(MAGIC) + SALT), 0
        if not self._header.startswith(MAGIC) or len(self._header) != len(MAGIC) + SALT:
            raise Unreadable("this is no backup of FaceVault")
        self._cipher = _cipher(passphrase, self._header[len(MAGIC) :])
        self._next, self._ready, self._has_ended = source.read(CHUNK + TAG), bytearray(), False

    def read(self, size: int = -1) -> bytes:
        while not self._has_ended and (size < 0 or len(self._ready) < size):
            sealed, self._next = self._next, self._source.read(CHUNK + TAG)
            self._has_ended = not self._next
            try:
                self._ready += self._cipher.decrypt(_nonce(self._number, self._has_ended), sealed, self._header)
            except InvalidTag:
                raise Unreadable(
                    "the passphrase is another one" if self._number == 0 else "it was altered or cut off"
                ) from None
            self._number += 1
        size = len(self._ready) if size < 0 else size
        some = bytes(self._ready[:size])
        del self._ready[:size]
        return some


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt, 32, n=COST, r=8, p=1).derive(passphrase.encode()))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
