"""What a program is told of the account."""

from typing import Annotated

from fv.api.bodies import Answer, Limit, Time
from fv.mfa import backup_codes


class Account(Answer, frozen=True):
    id: str
    email: str
    totp_enabled: bool
    backup_codes_remaining: Annotated[int, Limit(ge=0, le=backup_codes.COUNT)]
    backup_codes_acknowledged: bool
    plan: str
    created_at: Time
