"""What a photo becomes and what is refused, here and in a process of its own."""

import hashlib
import io
import os
import struct
import sys
import threading
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, ImageStat

from fv import turns
from fv.evidence import child, inside, intake
from fv.evidence.intake import Photo, Refused

RED, BLUE = (250, 10, 10), (10, 10, 250)


def picture(size=(64, 48), mode="RGB", colour=RED) -> Image.Image:
    """Red, with a blue corner at the top left."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=BLUE)
    return image.convert(mode)


def file(image=None, format="JPEG", **options) -> bytes:
    out = io.BytesIO()
    (image or picture()).save(out, format, **options)
    return out.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    image.load()
    return image


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(side=30_000) -> bytes:
    """A PNG of 900 megapixels in a few bytes."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def with_zip(jpeg: bytes) -> bytes:
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr("payload.txt", "carried along")
    return jpeg + tail.getvalue()


FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\x10\0mdat" + bytes(range(256)) * 16


def is_clean(photo: Photo) -> bool:
    """A whole JPEG of pixels and nothing else: no EXIF, ICC, XMP, comment, nothing behind its end."""
    image = opened(photo.jpeg)
    markers = {name for name, _ in image.applist}
    return (
        image.mode == "RGB"
        and image.size == (photo.width, photo.height)
        and max(image.size) <= intake.LONGER_SIDE
        and markers <= {"APP0"}
        and set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        and photo.jpeg.endswith(b"\xff\xd9")
    )


# ── What a photo becomes ─────────────────────────────────────────────────────────────────────────────────────

BAD = {
    "HTML": (b"<!doctype html><script>alert(1)</script>", Refused.NOT_A_PHOTO),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', Refused.NOT_A_PHOTO),
    "GIF": (file(format="GIF"), Refused.NOT_A_PHOTO),
    "BMP": (file(format="BMP"), Refused.NOT_A_PHOTO),
    "TIFF": (file(format="TIFF"), Refused.NOT_A_PHOTO),
    "PDF": (file(format="PDF"), Refused.NOT_A_PHOTO),
    "WAV": (b"RIFF\x24\0\0\0WAVEfmt ", Refused.NOT_A_PHOTO),
    "zero bytes": (b"", Refused.NOT_A_PHOTO),
    "one byte too many": (file() + b"\0" * (intake.LARGEST + 1 - len(file())), Refused.TOO_LARGE),
    "a truncated JPEG": (file(picture((640, 480)))[:-400], Refused.DAMAGED),
    "a truncated PNG": (file(picture((640, 480)), "PNG")[:300], Refused.DAMAGED),
    "a truncated WebP": (file(picture((640, 480)), "WEBP")[:-20], Refused.DAMAGED),
    "a JPEG of three bytes": (b"\xff\xd8\xff", Refused.DAMAGED),
    "900 megapixels of PNG": (bomb(), Refused.TOO_MANY_PIXELS),
    "25 megapixels of PNG and a bit": (bomb(5001), Refused.TOO_MANY_PIXELS),
    "a JPEG with a ZIP behind it": (with_zip(file()), Refused.CARRIES_MORE),
    "25 megapixels of PNG without the pixels": (bomb(5000), Refused.DAMAGED),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photo_is_refused_with_a_word(name):
    raw, why = BAD[name]
    assert intake.read(raw) is why


def test_a_jpeg_over_fifty_megapixels_is_refused_before_it_is_decoded():
    whole = bytearray(file())
    frame = whole.index(b"\xff\xc0")
    whole[frame + 5 : frame + 9] = struct.pack(">HH", 5000, 10_001)
    assert intake.read(bytes(whole)) is Refused.TOO_MANY_PIXELS


def test_every_refusal_has_a_stable_word_and_a_sentence():
    assert [refused.value for refused in Refused] == [
        "not_a_photo", "too_large", "too_many_pixels", "damaged", "carries_more"
    ]  # fmt: skip
    assert all(refused.sentence.endswith(".") for refused in Refused)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_keeps_its_size_and_its_colours(format):
    raw = file(format=format)
    photo = intake.read(raw)
    assert is_clean(photo) and (photo.width, photo.height) == (64, 48)
    assert photo.sha256 == hashlib.sha256(raw).hexdigest()
    assert near(opened(photo.jpeg).getpixel((50, 40)), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(orientation):
    upright = picture((64, 48))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = upright if orientation == 1 else upright.transpose(OPPOSITE[orientation])
    photo = intake.read(file(turned, exif=exif))
    assert (photo.width, photo.height) == (64, 48) and is_clean(photo)
    assert near(opened(photo.jpeg).getpixel((5, 5)), BLUE) and near(opened(photo.jpeg).getpixel((60, 44)), RED)


OPPOSITE = dict(intake._UPRIGHT) | {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def near(colour, expected) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(colour, expected, strict=True))


def test_nothing_but_pixels_survives():
    exif = Image.Exif()
    exif[0x010E] = "a secret in the description"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    raw = file(exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta>secret</x:xmpmeta>", comment=b"secret") + FILM
    assert b"secret" in raw and b"ftyp" in raw
    photo = intake.read(raw)
    assert is_clean(photo)
    assert not [word for word in (b"secret", b"ftyp", b"Exif", b"ICC_PROFILE") if word in photo.jpeg]


BEHIND = {
    "ZIP": with_zip(b""), "ZIP behind a film": with_zip(FILM), "padded ZIP": with_zip(b"\0" * 5000) + b"\0" * 500,
    "RAR": b"Rar!\x1a\x07\x01\0", "7z": b"7z\xbc\xaf\x27\x1c", "gzip": b"\x1f\x8b\x08\0", "PDF": b"\r\n%PDF-1.7",
    "HTML": b"<!DOCTYPE html>", "script": b"  <script>alert(1)</script>", "PHP": b"<?php ?>", "Windows": b"MZ\x90\0",
    "Linux": b"\x7fELF\x02", "macOS": b"\xcf\xfa\xed\xfe", "shell": b"#!/bin/sh\n", "Word": b"\xd0\xcf\x11\xe0",
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND)
def test_another_file_behind_a_photo_is_refused(name):
    for photo in (file(comment=b"\xff\xd9 no end"), file(progressive=True), file(format="PNG"), file(format="WEBP")):
        assert intake.read(photo + BEHIND[name]) is Refused.CARRIES_MORE
        assert isinstance(intake.read(photo), Photo)


@pytest.mark.parametrize(
    "tail",
    [
        FILM, file(), file() + FILM, b"\0" * 4096, b"\xff\xff\xff", b"\r\n", b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1",
        FILM + b"PK\x03\x04" + b"\x07" * 400 + b"PK\x05\x06" + b"\x07" * 30,
    ],
    ids=["film", "JPEG", "JPEG and film", "padding", "fill bytes", "line end", "notes of a phone", "chance"],
)  # fmt: skip
def test_what_cameras_put_behind_a_photo_is_stripped(tail):
    photo = intake.read(file() + tail)
    assert isinstance(photo, Photo) and is_clean(photo)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"II*\0\xff\xff\xff\x7f", b"II*\0\x08\0\0\0\xff", b"not a TIFF", b"", b"II"])
def test_exif_that_nobody_can_read_is_no_reason_to_refuse(exif):
    photo = intake.read(file(exif=b"Exif\0\0" + exif))
    assert isinstance(photo, Photo) and is_clean(photo)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_kind_of_png_becomes_rgb(mode):
    source = picture(mode="L").convert("I").point(lambda value: value * 256).convert("I;16") if mode == "I;16" else None
    photo = intake.read(file(source or picture(mode=mode), "PNG"))
    assert is_clean(photo)
    corner, rest = (ImageStat.Stat(opened(photo.jpeg).crop(box)).mean for box in ((0, 0, 12, 8), (30, 30, 60, 44)))
    assert sum(corner) < sum(rest)  # blue is darker than red, in grey too


def test_cmyk_becomes_rgb_and_transparent_becomes_white():
    assert near(opened(intake.read(file(picture(mode="CMYK"))).jpeg).getpixel((50, 40)), RED)
    glass = picture(mode="RGBA")
    glass.putalpha(0)
    assert near(opened(intake.read(file(glass, "PNG")).jpeg).getpixel((50, 40)), (255, 255, 255))


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(format):
    raw = file(picture(), format, save_all=True, append_images=[picture(colour=BLUE)], duration=100)
    photo = intake.read(raw)
    assert is_clean(photo) and near(opened(photo.jpeg).getpixel((50, 40)), RED)


def test_a_large_photo_is_made_smaller_and_a_small_one_is_not_made_larger():
    photo = intake.read(file(picture((3000, 1000))))
    assert (photo.width, photo.height) == (2400, 800) and is_clean(photo)
    assert (intake.read(file(picture((9, 7)))).width) == 9


def is_as_promised(found) -> bool:
    return isinstance(found, Refused) or is_clean(found)


STARTS = [
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"RIFF\x40\0\0\0WEBPVP8X",
    b"RIFF\x40\0\0\0WEBPVP8L",
]


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(start, rest):
    assert is_as_promised(intake.read(start + rest))


WHOLE = [
    file(picture((40, 30)), "JPEG"), file(picture((40, 30)), "JPEG", progressive=True, comment=b"x"),
    file(picture((40, 30)), "PNG"), file(picture((40, 30), "RGBA"), "WEBP"), file(picture((40, 30)), "WEBP"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None)
@given(st.data())
def test_a_photo_with_changed_bytes_is_refused_or_clean(data):
    raw = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert is_as_promised(intake.read(bytes(raw[: data.draw(st.integers(0, len(raw)))])))


# ── In a process of its own ──────────────────────────────────────────────────────────────────────────────────


def test_the_child_says_what_intake_says(here):
    raw = file(picture((640, 480)))
    assert child.read(raw) == intake.read(raw)
    assert child.read(bomb()) is Refused.TOO_MANY_PIXELS
    assert child.read(b"<svg/>") is Refused.NOT_A_PHOTO
    assert child.read(b"\0" * (intake.LARGEST + 1)) is Refused.TOO_LARGE
    assert inside.answer(intake, b"") == b"refused not_a_photo\n"
    assert inside.answer(intake, raw) == b"photo 640 480\n" + intake.read(raw).jpeg


def test_a_child_over_its_memory_or_its_time_is_a_damaged_photo(here, monkeypatch):
    with monkeypatch.context() as less:
        less.setattr(child, "MEMORY", 100 * 1024 * 1024)
        assert isinstance(child.read(file()), Photo) and child.read(bomb()) is Refused.TOO_MANY_PIXELS
        assert child.read(file(Image.new("L", (5000, 5000)), "PNG", compress_level=1)) is Refused.DAMAGED
    monkeypatch.setattr(child, "PATIENCE", 0.001)  # it is killed while it starts
    assert child.read(file()) is Refused.DAMAGED


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.close(0); os._exit(1)",
        "raise SystemExit('photo 1 1')",
        "print('refused because_of_me')",
        "print('photo 1 1')",
        "print('photo 9999 1'); print('\\xff\\xd8\\xff')",
        "print('photo')",
        "import sys\nsys.stdin.buffer.read()\nwhile True: sys.stdout.write('photo 1 1\\n' * 10000)",
        "while True: pass",
    ],
)
def test_whatever_a_child_does_is_a_damaged_photo(here, tmp_path, monkeypatch, program):
    path = tmp_path / "program.py"
    path.write_text(program)
    monkeypatch.setattr(child, "PROGRAM", path)
    monkeypatch.setattr(child, "PATIENCE", 1 if "pass" in program else 10)
    assert child.read(file() + b"\0" * 200_000) is Refused.DAMAGED


def test_the_limits_hold_in_the_child_and_no_environment_reaches_it(here, tmp_path, monkeypatch):
    monkeypatch.setenv("FV_SECRET_KEY", "a" * 64)
    said = tmp_path / "said"
    path = tmp_path / "program.py"
    path.write_text(
        "import os, resource, runpy, sys\n"
        f"notes = os.open({str(said)!r}, os.O_CREAT | os.O_RDWR)\n"
        f"main = runpy.run_path({str(child.PROGRAM)!r})['main']\n"
        "main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])\n"
        "limits = [resource.getrlimit(which)[1] for which in\n"
        "          (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]\n"
        "right = limits == [int(sys.argv[1]), int(sys.argv[2]), 0, 0]\n"
        "private = not [name for name in os.environ if name != 'LC_CTYPE'] and 'fv' not in sys.modules\n"
        "try:\n"
        "    os.write(notes, b'in clear')\n"
        "except OSError:\n"
        "    sys.exit(0 if right and private else 1)\n"
    )
    monkeypatch.setattr(child, "PROGRAM", path)
    assert isinstance(child.read(file()), Photo)
    assert said.read_bytes() == b""


def test_no_process_to_spare_and_no_turn_to_have_are_busy_and_not_a_bad_photo(here, monkeypatch):
    with monkeypatch.context() as nowhere:
        nowhere.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(turns.Busy):
            child.read(file())
    taken = 0
    while child._turns.queue.acquire(blocking=False):
        taken += 1
    try:
        with pytest.raises(turns.Busy):
            child.read(file())
    finally:
        for _ in range(taken):
            child._turns.queue.release()
    assert taken == child.ROOM and isinstance(child.read(file()), Photo)


def test_a_turn_that_takes_too_long_is_busy_and_a_process_waits_for_the_others(here):
    ours = turns.Turns("test", at_once=1, room=2, patience=0.01)
    theirs = turns.Turns("test", at_once=1, room=2, patience=0.01)  # as another process has it
    waited = []

    def waits():
        with here.app_context(), theirs.one():
            waited.append("had its turn")

    with ours.one():
        with pytest.raises(turns.Busy), ours.one():
            pass
        waiting = threading.Thread(target=waits)
        waiting.start()
        waiting.join(0.05)
        assert waited == []
    waiting.join()
    assert waited == ["had its turn"]


def test_many_threads_at_once_get_each_their_own_photo(here):
    files = {side: file(picture((side, 20))) for side in range(30, 30 + child.ROOM)}
    found, start = {}, threading.Barrier(len(files))

    def reads(side):
        with here.app_context():
            start.wait()
            found[side] = child.read(files[side])

    threads = [threading.Thread(target=reads, args=(side,)) for side in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {side: photo.width for side, photo in found.items()} == {side: side for side in files}
    assert len([name for name in os.listdir(here.instance_path) if name.startswith("photos-")]) == child.AT_ONCE


def test_a_photo_of_many_scans_is_refused_before_it_is_decoded():
    """75 bytes each, and each costs a pass over all pixels: 200 of them took 10 seconds of 0.3 MB."""
    raw = file(progressive=True)
    last = raw.rindex(b"\xff\xda")
    scan = raw[last:-2]
    assert intake.read(raw[:-2] + scan * 100 + b"\xff\xd9") is Refused.DAMAGED
    empty = b"\xff\xe1\x00\x02" * 10_001
    assert intake.read(raw[:2] + empty + raw[2:]) is Refused.DAMAGED, "nor is one of empty segments walked for seconds"
    film = b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda" * 1000
    assert isinstance(intake.read(raw + film), Photo), "a film behind it is none of its scans"
