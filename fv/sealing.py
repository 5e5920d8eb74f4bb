"""The keyring: seal, open, derive; and the certificate of `--tls-self-signed`. Pure, apart from randomness.

Besides it only receipts.py (signatures) and envelope.py (backups) know `cryptography`. The keyring is the text of
secret.key: one key a line, the last one seals, all of them open. What is sealed is bound to the row it belongs to, so
two swapped rows do not open.
"""

import base64
import binascii
import datetime
import hmac
import ipaddress
import secrets
from functools import cache

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SHORTEST = 32  # characters of a key line: 128 bits even when somebody typed hex
NONCE = 12  # bytes, NIST SP 800-38D §8.2
CERTIFICATE_DAYS = 397  # the longest that browsers accept


class Unreadable(Exception):
    """Sealed under another key, bound to something else, or altered. Says no more than that."""


class Keyring:
    def __init__(self, text: str) -> None:
        keys = [line.strip() for line in text.splitlines() if line.strip()]
        if not keys or any(len(key) < SHORTEST for key in keys):
            raise ValueError(f"one key a line, each of {SHORTEST} random characters or more")
        self._keys = {_derive(key, "key id", 4).hex(): key for key in keys}
        self._current = list(self._keys)[-1]

    def text(self) -> str:
        """What a key file of it holds: for a backup, and nothing else."""
        return "".join(f"{key}\n" for key in self._keys.values())

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._keys)}>"

    @property
    def current_id(self) -> str:
        """Names the current key, and is no secret: it stands in front of everything that key seals or signs."""
        return self._current

    def is_current(self, sealed: str) -> bool:
        """Whether the current key has sealed this."""
        return sealed.partition(".")[0] == self._current

    @property
    def has_older(self) -> bool:
        """Whether there are other keys than the current one."""
        return len(self._keys) > 1

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from the current key (HKDF-SHA256, RFC 5869)."""
        return _derive(self._keys[self._current], purpose, 32)

    def derive_all(self, purpose: str) -> list[bytes]:
        """The same from every key, the current one first: to know again what an older key was used for."""
        return [_derive(self._keys[key_id], purpose, 32) for key_id in reversed(self._keys)]

    def pseudonym(self, text: str) -> str:
        """Stands for a text that must not be written down: HMAC-SHA256, hexadecimal."""
        return self.pseudonyms(text)[0]

    def pseudonyms(self, text: str) -> list[str]:
        """The same under every key, the current one first: to find again what was noted before a rotation."""
        return [hmac.new(key, text.encode(), "sha256").hexdigest() for key in self.derive_all("pseudonym")]

    def sign(self, purpose: str, text: str) -> str:
        """`key id . HMAC-SHA256`: says that whoever holds the current key has seen this text."""
        return f"{self._current}.{_mac(self._keys[self._current], purpose, text)}"

    def has_signed(self, purpose: str, text: str, signature: str) -> bool:
        """Whether this signature is one of this keyring, of any of its keys, for exactly this text."""
        key_id, _, mac = signature.partition(".")
        key = self._keys.get(key_id)
        return key is not None and hmac.compare_digest(_mac(key, purpose, text).encode(), mac.encode())

    def seal(self, plain: bytes, bound_to: str) -> str:
        """AES-256-GCM under the current key: `key id . base64url(nonce, ciphertext, tag)`."""
        nonce = secrets.token_bytes(NONCE)
        sealed = _cipher(self._keys[self._current]).encrypt(nonce, plain, bound_to.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, bound_to: str) -> bytes:
        """The bytes that were sealed for exactly this `bound_to`, or Unreadable."""
        key_id, _, body = sealed.partition(".")
        try:
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
            return _cipher(self._keys[key_id]).decrypt(raw[:NONCE], raw[NONCE:], bound_to.encode())
        except (KeyError, InvalidTag, binascii.Error, ValueError):
            raise Unreadable("this is not sealed with a key of this keyring, or not for this row") from None

    def renewed(self, sealed: str, bound_to: str) -> str:
        """The same, sealed for the same row under the current key, or Unreadable."""
        return self.seal(self.open(sealed, bound_to), bound_to)


def new_key() -> str:
    """Another line for the key file: 256 random bits, hexadecimal."""
    return secrets.token_hex(32)


def new_data_key() -> bytes:
    """256 random bits, for one thing only; kept sealed by the keyring."""
    return AESGCM.generate_key(256)


def seal_bytes(data_key: bytes, plain: bytes, bound_to: str) -> bytes:
    """AES-256-GCM under a data key: nonce, ciphertext, tag."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(data_key).encrypt(nonce, plain, bound_to.encode())


def open_bytes(data_key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """The bytes that were sealed under this key for exactly this `bound_to`, or Unreadable."""
    try:
        return AESGCM(data_key).decrypt(sealed[:NONCE], sealed[NONCE:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise Unreadable("these bytes are not sealed with this key, or not for this row") from None


@cache
def _cipher(key: str) -> AESGCM:
    return AESGCM(_derive(key, "seal", 32))


def _mac(key: str, purpose: str, text: str) -> str:
    return hmac.new(_signing_key(key, purpose), text.encode(), "sha256").hexdigest()


@cache
def _signing_key(key: str, purpose: str) -> bytes:
    return _derive(key, f"sign {purpose}", 32)


def _derive(key: str, purpose: str, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=f"facevault {purpose}".encode()).derive(key.encode())


def self_signed_certificate(names: list[str], now: float) -> tuple[bytes, bytes]:
    """(certificate, private key) as PEM for these host names and addresses; a client can trust it as its own root.

    RFC 5280 §4.2: key identifiers, key usage and a path length are there because strict clients ask for them.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "FaceVault self-signed")])
    start = datetime.datetime.fromtimestamp(now, datetime.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)  # sign, and sign certificates
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - datetime.timedelta(hours=1))  # a client whose clock is a little behind
        .not_valid_after(start + datetime.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def ends_at(certificate: bytes) -> int | None:
    """When a PEM certificate runs out, in seconds since 1970; None when it is none."""
    try:
        return int(x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp())
    except ValueError:
        return None


def valid_for(certificate: bytes, names: list[str], now: float) -> bool:
    """Whether this is a PEM certificate that is in its time and names all of these."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
    except ValueError:
        return False
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    stated = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = all(_alternative(name) in stated for name in names)
    return named and found.not_valid_before_utc <= moment < found.not_valid_after_utc


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
