"""Sessions with photos, made without the capture pages."""

import io

from PIL import Image

from fv import clock, db
from fv.analysis.report import Report
from fv.evidence import flows as evidence
from fv.retention import confirming
from fv.retention import flows as retention
from fv.retention import store as store_of_erasures
from fv.retention.store import Erasure
from fv.verifications import due, flows, store

KINDS = flows.STEPS


def erase_due(now: int) -> list[Erasure]:
    """What is past its term goes, as the background process does it, and is looked for."""
    begun = []
    while some := retention.erase_due(now):
        begun += some
    confirming.confirm(now)
    return [store_of_erasures.by_id(one.id) for one in begun]


def forget_photos(account_id: str, id: str, now: int) -> int:
    """Without a session: what an erasure does with photos. How many there were."""
    with db.transaction():
        number = evidence.forget_photos(account_id, id, now).number
        evidence.forget_document(account_id, id)
    evidence.clear(account_id, id)
    return number


def picture(colour: str = "teal", size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG with enough in it to be told from another."""
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    out = io.BytesIO()
    Image.blend(image, Image.new("RGB", size, colour), 0.6).save(out, "JPEG", quality=90)
    return out.getvalue()


def unexamined(_case) -> Report:
    """What is said of photos where no analyser is installed."""
    return Report()


def examined(app, id: str, said: Report | None = None) -> None:
    """Its person submitted the photos, and this is what was seen in them; None: there is no analyser."""
    with app.app_context():
        now = clock.now()
        account_id = db.one(dict, "SELECT account_id FROM verifications WHERE id = :id", id=id)["account_id"]
        assert flows.submit(store.find(account_id, id, None, now), now) is True
        with db.transaction():
            db.run("UPDATE verifications SET submitted_at = 0 WHERE id = :id", id=id)
        while store.find(account_id, id, None, now).status == "analyzing":
            due.analyse_next(now, unexamined if said is None else lambda _case: said)


def photographed(app, id: str, status: str | None = "review", kinds: tuple[str, ...] = KINDS) -> None:
    """The person of this session consented and was photographed; then it was analysed, and became this."""
    with app.app_context():
        now = clock.now()
        account_id = db.one(dict, "SELECT account_id FROM verifications WHERE id = :id", id=id)["account_id"]
        assert flows.consent(store.find(account_id, id, None, now), now)
        session = store.find(account_id, id, None, now)
        for kind, colour in zip(kinds, ("teal", "sienna", "olive"), strict=False):
            kept = flows.keep_photo(session, kind, picture(colour), session.nonce, now)
            assert getattr(kept, "kind", None) == kind, kept
        if status:
            examined(app, id)
            if status != store.find(account_id, id, None, now).status:
                db.run("UPDATE verifications SET status = :status WHERE id = :id", id=id, status=status)
