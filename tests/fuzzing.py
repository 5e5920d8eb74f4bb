"""What schemathesis loads beside its own checks: real ids for calls that name something, and a check of our own."""

import json
import os
from itertools import count

import schemathesis
from schemathesis import Case, GenerationMode, HookContext, Response
from schemathesis.checks import CheckContext

IDS = json.loads(os.environ["FUZZED_IDS"])
_turn = count()


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    """Two of three calls name something that there is; the others something that never was."""
    ids = next((found for start, found in IDS.items() if case.path.startswith(start + "{id}")), None)
    if ids and case.meta and case.meta.generation.mode is GenerationMode.POSITIVE and (turn := next(_turn)) % 3:
        case.path_parameters["id"] = ids[turn % len(ids)]
    return case


@schemathesis.check
def what_the_document_allows_has_the_right_form(context: CheckContext, response: Response, case: Case) -> None:
    """It may be refused for what it says (see test_api_fuzzed.py), but not as malformed, unknown or of a wrong type."""
    if not case.meta or case.meta.generation.mode is not GenerationMode.POSITIVE or response.status_code < 400:
        return
    told = response.json()
    reasons = {error["code"] for error in told.get("errors", ())} & {"unknown", "wrong_type"}
    assert told["code"] not in ("malformed", "unsupported_media_type") and not reasons, told
