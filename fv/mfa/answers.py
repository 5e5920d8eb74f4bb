"""What a program sends and is told while it sets up the second factor."""

from typing import Annotated

from fv.api import bodies
from fv.api.bodies import Answer, Limit


class NewSetup(bodies.Body, frozen=True):
    re_enrolment_code: Annotated[str, Limit(description="After support has reset the second factor.")] | None = None


class TypedCode(bodies.Body, frozen=True):
    code: Annotated[str, Limit(description="What the authenticator shows.", examples=["123456"])]


class Authenticator(Answer, frozen=True):
    """The same until it is confirmed."""

    otpauth_uri: str
    secret: str
    qr_svg: str


class BackupCodes(Answer, frozen=True):
    backup_codes: Annotated[list[str], Limit(description="Each works once. Shown here and nowhere else.")]
