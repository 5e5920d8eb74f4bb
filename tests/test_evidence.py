"""Photos as they are kept: sealed, opened, replaced, erased, and nothing left that should not be."""

import hashlib
import os
import stat
import threading

import pytest
from PIL import Image, ImageChops

from fv import db
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.config import Misconfigured
from fv.db import sqlite
from fv.evidence import blobs, flows, intake, store
from fv.evidence.intake import Refused
from fv.sealing import Keyring, Unreadable
from tests.photos import forget_photos
from tests.test_intake import BAD, BLUE, FILM, file, opened, picture

NOW = 1_800_000_000


@pytest.fixture
def account(here):
    assert accounts.add(Account("acc_ada", "ada@example.org", "no password", "free", NOW))
    return "acc_ada"


def folder(app):
    return app.config["BLOBS"] / "photos"


def files_in(app):
    return sorted(path for path in app.config["BLOBS"].rglob("*") if path.is_file())


def test_a_photo_is_kept_sealed_and_opens_as_what_it_became(app, account):
    raw = file(picture((640, 480)))
    photo = flows.keep(account, "vs_1", "selfie", raw, NOW)
    assert flows.find(account, "vs_1", "selfie") == photo and flows.of_verification(account, "vs_1") == [photo]
    assert (photo.width, photo.height, photo.taken_at) == (640, 480, NOW)
    assert photo.sha256 == hashlib.sha256(raw).hexdigest()
    assert flows.open(photo) == intake.read(raw).jpeg and len(flows.open(photo)) == photo.bytes
    assert flows.find("acc_other", "vs_1", "selfie") is None
    assert flows.find(account, "vs_2", "selfie") is None and flows.find(account, "vs_1", "id_photo") is None
    assert {stat.S_IMODE(path.stat().st_mode) for path in files_in(app)} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (app.config["BLOBS"], folder(app))} == {0o700}


@pytest.mark.parametrize("name", ["HTML", "SVG", "GIF", "zero bytes", "a truncated JPEG", "900 megapixels of PNG"])
def test_a_refused_photo_leaves_nothing_behind(app, account, name):
    raw, why = BAD[name]
    before = set(os.listdir(app.instance_path))
    assert flows.keep(account, "vs_1", "id_photo", raw, NOW) is why
    assert files_in(app) == [] and flows.of_verification(account, "vs_1") == []
    assert set(os.listdir(app.instance_path)) - before <= {"photos-0.lock", "photos-1.lock"}


def test_nothing_of_a_photo_is_anywhere_in_clear(app, account):
    raw = file(picture((640, 480)), comment=b"a comment to find") + FILM
    photo = flows.keep(account, "vs_1", "id_photo", raw, NOW)
    jpeg = flows.open(photo)
    everything = [path for path in db.path_of(app).parent.rglob("*") if path.is_file()]
    assert {"facevault.db-wal", photo.id} <= {path.name for path in everything}
    traces = [jpeg[:20], jpeg[-200:-150], jpeg[len(jpeg) // 2 :][:40], b"a comment to find", b"JFIF", b"ftypmp42"]
    assert not [(path.name, trace) for path in everything for trace in traces if trace in path.read_bytes()]


def test_the_same_photo_is_sealed_under_another_key_each_time(app, account):
    one, two = (flows.keep(account, verification, "selfie", file(), NOW) for verification in ("vs_1", "vs_2"))
    assert one.sealed_key != two.sealed_key and one.sha256 == two.sha256
    assert blobs.get(one.blob_key) != blobs.get(two.blob_key)


def test_swapped_files_and_swapped_rows_open_nothing(app, account):
    one, two = (flows.keep(account, "vs_1", kind, file(), NOW) for kind in ("selfie", "id_photo"))
    (folder(app) / one.id).rename(folder(app) / "aside")
    (folder(app) / two.id).rename(folder(app) / one.id)
    (folder(app) / "aside").rename(folder(app) / two.id)
    for photo in (one, two):
        with pytest.raises(Unreadable):
            flows.open(photo)
    connection = sqlite.connect(db.path_of(app))
    connection.execute("UPDATE photos SET blob_key = NULL WHERE id = ?", (one.id,))
    for id, other in ((two.id, one), (one.id, two)):
        connection.execute(
            "UPDATE photos SET blob_key = ?, sealed_key = ? WHERE id = ?", (other.blob_key, other.sealed_key, id)
        )
    connection.close()
    for kind in ("selfie", "id_photo"):
        with pytest.raises(Unreadable):
            flows.open(flows.find(account, "vs_1", kind))


@pytest.mark.parametrize("where", ["account_id", "verification_id", "kind", "id"])
def test_a_row_that_says_something_else_does_not_open(app, account, where):
    photo = flows.keep(account, "vs_1", "selfie", file(), NOW)
    with pytest.raises(Unreadable):
        flows.open(store.Photo(**(vars(photo) | {where: "id_photo"})))


def test_a_changed_and_a_shortened_file_and_another_key_do_not_open(app, account, make_app):
    photo = flows.keep(account, "vs_1", "selfie", file(), NOW)
    path = folder(app) / photo.id
    sealed = path.read_bytes()
    for content in (sealed[:-1], sealed[:5], b"", sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]):
        path.write_bytes(content)
        with pytest.raises(Unreadable):
            flows.open(photo)
    path.write_bytes(sealed)
    assert flows.open(photo)
    app.extensions["keyring"] = Keyring("b" * 64)
    with pytest.raises(Unreadable):
        flows.open(photo)


def test_a_retake_replaces_the_photo_and_its_file(app, account):
    first = flows.keep(account, "vs_1", "selfie", file(), NOW)
    second = flows.keep(account, "vs_1", "selfie", file(picture(colour=BLUE)), NOW + 1)
    other = flows.keep(account, "vs_1", "id_photo", file(), NOW)
    assert flows.find(account, "vs_1", "selfie") == second != first
    assert {path.name for path in files_in(app)} == {second.id, other.id}
    with pytest.raises(blobs.Unavailable):
        flows.open(first)


def test_a_retake_that_is_refused_or_not_allowed_leaves_the_photo_as_it_was(app, account):
    first = flows.keep(account, "vs_1", "selfie", file(), NOW)
    assert flows.keep(account, "vs_1", "selfie", b"<svg/>", NOW) is Refused.NOT_A_PHOTO
    assert flows.keep(account, "vs_1", "selfie", file(), NOW, only_if=lambda: False) is None
    assert flows.find(account, "vs_1", "selfie") == first and flows.open(first)
    assert [path.name for path in files_in(app)] == [first.id]


def test_retakes_at_once_leave_one_row_and_its_file(app, account):
    start, kept = threading.Barrier(4), []

    def retakes():
        with app.app_context():
            start.wait()
            kept.append(flows.keep(account, "vs_1", "selfie", file(), NOW))

    threads = [threading.Thread(target=retakes) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in files_in(app)] == [flows.find(account, "vs_1", "selfie").id]
    assert len({photo.id for photo in kept}) == 4


def test_only_known_kinds_are_kept_and_never_inside_a_transaction(app, account):
    with pytest.raises(LookupError):
        flows.keep(account, "vs_1", "passport", file(), NOW)
    with pytest.raises(LookupError), db.transaction():
        flows.keep(account, "vs_1", "selfie", file(), NOW)
    assert files_in(app) == []


def test_a_watermark_is_all_over_the_photo_and_the_kept_one_has_none(app, account):
    photo = flows.keep(account, "vs_1", "id_photo", file(Image.new("RGB", (1200, 800), (120, 130, 140))), NOW)
    marked = opened(flows.watermarked(photo, "ada@example.org 2027-01-15 08:00 UTC"))
    difference = ImageChops.difference(marked, opened(flows.open(photo))).convert("L")
    assert marked.size == (1200, 800)
    for left in range(0, 1200, 200):
        for top in range(0, 800, 200):
            assert difference.crop((left, top, left + 200, top + 200)).getextrema()[1] > 40, (left, top)
    assert flows.watermarked(flows.keep(account, "vs_1", "selfie", file(picture((3, 2))), NOW), "")


def test_erased_means_no_file_no_key_and_of_the_row_only_what_it_was_a_copy_of(app, account):
    photos = [flows.keep(account, "vs_1", kind, file(), NOW) for kind in sorted(store.KINDS)]
    other = flows.keep(account, "vs_2", "selfie", file(), NOW)
    assert not flows.was_erased(account, "vs_1", "selfie")
    assert forget_photos(account, "vs_1", NOW + 5) == 3 and forget_photos(account, "vs_1", NOW + 6) == 0
    assert forget_photos("acc_other", "vs_2", NOW) == 0
    assert flows.of_verification(account, "vs_1") == [] and flows.was_erased(account, "vs_1", "selfie")
    assert [path.name for path in files_in(app)] == [other.id] and flows.open(other)
    connection = sqlite.connect(db.path_of(app))
    rows = [dict(row) for row in connection.execute("SELECT * FROM photos WHERE verification_id = 'vs_1'")]
    connection.close()
    for row in rows:
        assert {name for name, value in row.items() if value is not None} == {
            "id", "account_id", "verification_id", "kind", "sha256", "erased_at",
        }  # fmt: skip
    assert {row["erased_at"] for row in rows} == {NOW + 5}
    for photo in photos:
        with pytest.raises(blobs.Unavailable):
            flows.open(photo)


def test_after_an_erasure_a_new_photo_may_be_kept(app, account):
    flows.keep(account, "vs_1", "selfie", file(), NOW)
    forget_photos(account, "vs_1", NOW)
    again = flows.keep(account, "vs_1", "selfie", file(), NOW)
    assert flows.find(account, "vs_1", "selfie") == again and not flows.was_erased(account, "vs_1", "selfie")


def test_an_erasure_that_could_not_delete_says_so_and_is_finished_by_another_or_by_the_sweep(app, account):
    for ends in (lambda: forget_photos(account, "vs_1", NOW), lambda: flows.sweep(NOW)):
        photo = flows.keep(account, "vs_1", "selfie", file(), NOW)
        path = folder(app) / photo.id
        aside = path.rename(path.with_name("aside"))
        path.mkdir()  # a file that cannot be deleted
        with pytest.raises(blobs.Unavailable):
            forget_photos(account, "vs_1", NOW)
        assert flows.find(account, "vs_1", "selfie") is None, "its key is gone already"
        path.rmdir()
        aside.rename(path)
        ends()
        assert files_in(app) == []


def test_the_sweep_takes_files_without_a_row_once_they_are_an_hour_old_and_nothing_else(app, account):
    kept = flows.keep(account, "vs_1", "selfie", file(), NOW)
    with pytest.raises(KeyboardInterrupt):  # as if the process ended there
        flows.keep(account, "vs_1", "selfie", file(), NOW, only_if=interrupted)
    (orphan,) = (path for path in files_in(app) if path.name != kept.id)
    foreign = app.config["BLOBS"] / "foreign.txt"
    foreign.write_text("not ours")
    written = int(orphan.stat().st_mtime)
    assert flows.sweep(written + 3599) == 0 and len(files_in(app)) == 3
    assert flows.sweep(written + 3700) == 1
    assert {path.name for path in files_in(app)} == {kept.id, "foreign.txt"} and flows.open(kept)


def interrupted() -> bool:
    raise KeyboardInterrupt


def test_a_place_that_cannot_be_used_is_said_and_keeps_no_row(app, account):
    folder(app).rmdir()
    folder(app).write_text("a file where the folder should be")
    with pytest.raises(blobs.Unavailable):
        flows.keep(account, "vs_1", "selfie", file(), NOW)
    assert flows.find(account, "vs_1", "selfie") is None
    app.config["BLOBS"] = app.config["BLOBS"] / "nowhere"
    for asks in (lambda: blobs.get("photos/x"), lambda: blobs.delete("photos/x"), lambda: flows.sweep(NOW)):
        with pytest.raises(blobs.Unavailable):
            asks()


def test_a_blob_that_is_gone_is_deleted_without_an_error(app, account):
    photo = flows.keep(account, "vs_1", "selfie", file(), NOW)
    for _ in range(2):
        blobs.delete(photo.blob_key)
        assert files_in(app) == []


def test_blobs_can_be_kept_elsewhere(make_app, tmp_path):
    elsewhere = tmp_path / "disk" / "photos of faces"
    app = make_app(BLOBS=elsewhere)
    assert app.config["BLOBS"] == elsewhere and stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="FV_BLOBS: cannot use the folder"):
        make_app(BLOBS=tmp_path / "file")
    assert not (tmp_path / "instance" / "blobs").exists()
