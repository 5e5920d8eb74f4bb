"""Real processes that examine photos, whose single stage does what a test wants; and Pythons that lack something."""

import shutil
import subprocess
import sys
from pathlib import Path

from fv.analysis import inside
from fv.analysis.report import Case

#: A photo is what the stage does: the limits, the pipes and the process are those of the product.
DOES = f"""
import ctypes, mmap, os, resource, runpy, socket, sys
product = runpy.run_path({inside.__file__!r})
def stage(seen):
    exec(seen.case.photos["selfie"], globals())
    return seen.report
product["main"](sys.argv[1], loaders={{"reading": lambda settings: stage}})
"""
#: What is in the extra `pipeline` cannot be imported after this.
WITHOUT_EXTRAS = """
import sys
class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {"rapidocr", "onnxruntime", "cv2", "dlib", "face_recognition_models"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing)
"""
#: For systems that give nobody a network namespace: Python's own sockets are refused, in this process.
REFUSING = """
import runpy, sys
def refuses(event, words):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.bind"):
        raise OSError("no network")
sys.addaudithook(refuses)
exec(sys.argv[1])
"""


def case(does: str = "", **photos: bytes) -> Case:
    return Case({"selfie": does.encode()} | photos, "left")


def without_network(program: str) -> list[str]:
    """The command of a Python that runs this program in an empty network namespace."""
    for options in (["--net"], ["--map-root-user", "--net"]):
        words = [shutil.which("unshare") or "unshare", *options]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return [*words, sys.executable, "-c", program]
    return [sys.executable, "-c", REFUSING, program]


def written(folder: Path, program: str) -> Path:
    path = folder / "program.py"
    path.write_text(program)
    return path
