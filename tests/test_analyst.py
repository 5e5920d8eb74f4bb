"""The process that examines photos, whatever they do there: real processes, real limits."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fv import serving
from fv.analysis import confining
from fv.analysis.report import Failed, Interrupted, Report
from fv.jobs import examiner
from fv.jobs.analyst import Analyst
from tests.analysts import DOES, WITHOUT_EXTRAS, case, without_network, written
from tests.live import DEADLINE

FINE = case()


@pytest.fixture
def make(tmp_path):
    """`make(program, jobs=3)`: an analyst whose process runs this program."""
    made = []

    def makes(program=DOES, is_stopping=lambda: False, **options):
        made.append(Analyst(is_stopping, program=written(tmp_path, program), **options))
        return made[-1]

    yield makes
    for analyst in made:
        analyst.close()


def why(analyst, case):
    """The reason why there is no report."""
    with pytest.raises(Failed) as failed:
        analyst.examine(case)
    return failed.value.reason


def is_fine(report):
    return report.failures == {} and set(report.seconds) == {"reading"}


def process_counts(analyst):
    return {about: amount for (counter, about), amount in analyst.tally.items() if counter == "process"}


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ── What a photo can do ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "does",
    ["ctypes.string_at(0)", "os.kill(os.getpid(), 9)", "os._exit(0)", "raise SystemExit", "os.closerange(3, 99)"],
)
def test_a_crash_is_seen_at_once_tried_once_more_and_the_next_one_is_fine(make, does):
    analyst = make()
    assert is_fine(analyst.examine(FINE))
    assert why(analyst, case(does)) == "crashed"
    assert analyst.pid is None and process_counts(analyst) == {"crashed": 2}
    assert is_fine(analyst.examine(FINE))
    assert analyst.tally["jobs", "all"] == 3 and analyst.tally["failures", "all"] == 1


@pytest.mark.long
def test_what_never_ends_is_killed_when_its_time_is_over(make):
    analyst = make(patience=1)
    assert why(analyst, case("while True: pass")) == "too_slow"
    assert process_counts(analyst) == {"too_slow": 2} and analyst.pid is None
    analyst.patience = 60
    assert is_fine(analyst.examine(FINE))


@pytest.mark.long
def test_one_that_does_not_even_read_its_photos_is_killed_too(make):
    """More than a pipe holds, so that whoever sends them waits."""
    analyst = make()
    analyst.examine(FINE)
    os.kill(analyst.pid, signal.SIGSTOP)
    analyst.patience = 1
    assert why(analyst, case("while True: pass", id_photo=b"x" * 2_000_000)) == "too_slow"


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("x = []\nwhile True: x.append(bytearray(10_000_000))", "MemoryError"),
        ("bytearray(250_000_000)", "MemoryError"),
        ("mmap.mmap(-1, 3 * 2**30)", "OSError"),
    ],
)
def test_a_memory_bomb_ends_at_the_limit(make, does, error):
    analyst = make(data=200 * 1024 * 1024)
    assert analyst.examine(case(does)).failures == {"reading": error}
    assert is_fine(analyst.examine(FINE))


def test_what_libraries_print_is_no_answer(make):
    analyst = make()
    for does in (
        "print('x' * 100_000)",
        "os.write(1, b'\\0\\0\\0\\1x')",
        "sys.stderr.write('x')",
        "os.system('echo x')",
    ):
        assert is_fine(analyst.examine(case(does)))
    assert process_counts(analyst) == {}


@pytest.mark.parametrize("call", ["os.fork()", "os.forkpty()", "os.posix_spawn('/proc/self/exe', ['x'], {})"])
def test_it_starts_threads_and_no_process(make, call):
    does = f"""
import threading
thread = threading.Thread(target=os.getpid)
thread.start(), thread.join()
refuses = "Seccomp:\\t2" in open("/proc/self/status").read()
try:
    {call} == 0 and os._exit(1)
except OSError:
    assert refuses
else:
    assert not refuses
"""
    assert is_fine(make().examine(case(does)))


def test_it_holds_no_secret_and_the_limits_are_set(make, monkeypatch):
    monkeypatch.setenv("FV_SECRET_KEY", "a" * 64)
    does = f"""
assert not [name for name in os.environ if name.startswith("FV_")] and os.getcwd() == "/"
assert {{name for name in sys.modules if name.startswith(("fv", "flask"))}} <= {{
    "fv", *(f"fv.analysis{{one}}" for one in ("", ".confining", ".examining", ".frames", ".plausible", ".report"))
}}
limits = [resource.getrlimit(which)[1] for which in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_DATA)]
assert limits == [0, 0, {examiner.DATA}] and os.environ["OMP_NUM_THREADS"] == "1"
"""
    analyst = make()
    assert is_fine(analyst.examine(case(does)))
    assert analyst.examine(case("import fv.db")).failures == {"reading": "ModuleNotFoundError"}


def test_it_writes_no_file(make, tmp_path):
    path = tmp_path / "in-clear"
    path.touch()
    report = make().examine(case(f"file = open({str(path)!r}, 'wb', buffering=0); file.write(b'a face')"))
    assert report.failures["reading"] in ("OSError", "PermissionError") and path.read_bytes() == b""


@pytest.mark.parametrize(
    "does",
    [
        "open({secret!r})", "os.listdir({folder!r})", "open('/etc/passwd')", "open(f'/proc/{{os.getppid()}}/environ')",
        "os.execv(sys.executable, ['python'])", "os.kill(os.getppid(), 0)", "os.mkdir({folder!r} + '/new')",
    ],
)  # fmt: skip
def test_it_reads_runs_and_signals_nothing_that_is_not_its_own_where_the_kernel_has_landlock(make, tmp_path, does):
    landlock = ctypes.CDLL(None).syscall(confining.CREATE_RULESET, None, 0, confining.VERSION)
    (tmp_path / "secret.key").write_text("a" * 64)
    does = does.format(secret=str(tmp_path / "secret.key"), folder=str(tmp_path))
    if landlock >= (6 if "kill" in does else 1):
        assert make().examine(case(does)).failures == {"reading": "PermissionError"}


def test_it_reads_what_it_was_told_to(make, tmp_path):
    model = tmp_path / "model.onnx"
    model.write_text("weights")
    does = case(f"assert open({str(model)!r}).read() == 'weights'")
    assert is_fine(make(settings={"readable": [str(model)]}).examine(does))


def test_it_reaches_no_network_where_the_system_can_take_it_away(make):
    takes = "unshare = __import__('ctypes').CDLL(None).unshare; raise SystemExit(unshare(2**30) and unshare(5 * 2**28))"
    can = subprocess.run([sys.executable, "-c", takes], check=False).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        report = make().examine(case(f"socket.create_connection({server.getsockname()!r}, 5)"))
    can = can or ctypes.CDLL(None).syscall(confining.CREATE_RULESET, None, 0, confining.VERSION) >= 4
    assert report.failures.get("reading", "") in (("OSError", "PermissionError") if can else ("",))


# ── What a process can do ────────────────────────────────────────────────────────────────────────────────────

READY = """
import sys, os, time
say = lambda content: os.write(1, len(content).to_bytes(4, 'big') + content)
say(b'ready')
"""
ASKED = "head = sys.stdin.buffer.read(4); asked = sys.stdin.buffer.read(int.from_bytes(head, 'big'))\n"
NAMED = ASKED + "name = asked[asked.index(b'name') + 8:][:16]\n"


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (ASKED + "say(b'no JSON')", "malformed"),
        (ASKED + "os.write(1, b'HTTP/1.1 200 OK')", "malformed"),
        (ASKED + "os.write(1, b'\\xff\\xff\\xff\\xff' * 1000)", "malformed"),
        (ASKED + "say(b'')", "malformed"),
        (ASKED + "say(b'another name\\n{}')", "malformed"),
        (NAMED + "say(name + b'\\n{}')", "malformed"),
        (NAMED + "say(name + b'\\n' + b'[' * 200_000)", "malformed"),
        (NAMED + "say(name + b'\\n\\xff')", "malformed"),
        (ASKED + "say(b'one'), say(b'two')", "malformed"),
        (ASKED + "os.write(1, b'\\0\\0\\1\\0half an answer')", "crashed"),
        (ASKED + "os.write(1, b'\\0\\0')", "crashed"),
        ("sys.exit()", "crashed"),
        ("os.close(0); os.close(1); time.sleep(600)", "crashed"),
    ],
)
def test_whatever_comes_instead_of_a_report_is_none(make, does, reason):
    analyst = make(READY + does)
    assert why(analyst, case(id_photo=b"x" * 300_000)) == reason
    assert analyst.pid is None and process_counts(analyst) == {reason: 2}


def test_what_is_said_before_anything_was_asked_is_no_answer(make):
    assert why(make(READY + "say(b'before')\n" + ASKED), FINE) in ("unavailable", "malformed")


def test_the_answer_to_another_case_is_not_taken_for_this_one(make, tmp_path):
    """As when an answer comes after its time: here every answer is the first one again."""
    analyst = make(
        READY
        + "first = None\nwhile True:\n    "
        + NAMED.replace("\n", "\n    ")
        + f"""
    first = first or name + b'\\n' + {Report().as_text().encode()!r}
    say(first)"""
    )
    assert analyst.examine(FINE) == Report()
    with pytest.raises(Failed):
        analyst._tried(FINE)
    assert process_counts(analyst) == {"malformed": 1}


def test_a_start_that_fails_is_not_tried_again_at_once(make, tmp_path):
    starts = tmp_path / "starts"
    analyst = make(f"open({str(starts)!r}, 'a').write('x')")
    assert [why(analyst, FINE) for _ in range(20)] == ["unavailable"] * 20
    assert starts.read_text() == "x"
    written(tmp_path, DOES)
    analyst._not_before = 0
    assert is_fine(analyst.examine(FINE))


@pytest.mark.parametrize("program", ["import os; os.write(1, b'\\0\\0\\0\\2no')\nwhile True: pass", "while True: pass"])
def test_one_that_never_says_that_it_is_ready_is_killed(make, program):
    assert why(make(program, patience=1), FINE) == "unavailable"


def test_no_process_to_spare_is_unavailable(make, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert why(make(), FINE) == "unavailable"


# ── How long it lives ────────────────────────────────────────────────────────────────────────────────────────


def test_it_lives_on_and_is_replaced_after_so_many_cases(make):
    analyst = make(jobs=3)
    pids = []
    for _ in range(6):
        analyst.examine(FINE)
        pids.append(analyst.pid)
    assert pids[0] == pids[1] != pids[3] == pids[4] and pids[2] is None and pids[5] is None
    assert process_counts(analyst) == {"recycled": 2}


def test_one_that_has_grown_is_replaced(make):
    analyst = make(grown=200 * 1024 * 1024)
    analyst.examine(case("kept = b'x' * 10_000_000"))
    before = analyst.pid
    assert before
    analyst.examine(case("kept = b'x' * 300_000_000"))
    assert analyst.pid is None and not is_alive(before) and process_counts(analyst) == {"recycled": 1}


def test_kill_9_between_two_cases_costs_nobody_anything(make):
    analyst = make()
    analyst.examine(FINE)
    os.kill(analyst.pid, signal.SIGKILL)
    assert is_fine(analyst.examine(FINE)) and process_counts(analyst) == {"crashed": 1}


def test_whoever_has_to_stop_does_not_wait_for_it(make):
    asked = []
    analyst = make(is_stopping=lambda: asked.append(1) or len(asked) > 8)
    analyst.examine(FINE)
    pid = analyst.pid
    with pytest.raises(Interrupted):
        analyst.examine(case("while True: pass"))
    assert analyst.pid is None and not is_alive(pid)
    assert analyst.tally["jobs", "all"] == 1


def test_it_ends_with_its_parent(tmp_path):
    program = written(tmp_path, DOES)
    starts = f"""
import os
from pathlib import Path
from fv.jobs.analyst import Analyst
from tests.analysts import case
analyst = Analyst(program=Path({str(program)!r}))
analyst.examine(case())
print(analyst.pid, flush=True)
analyst.examine(case("while True: pass"))
"""
    root = Path(__file__).parent.parent
    parent = subprocess.Popen([sys.executable, "-c", starts], cwd=root, stdout=subprocess.PIPE, text=True)
    with parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    until = time.monotonic() + DEADLINE
    while is_alive(pid):
        assert time.monotonic() < until


@pytest.mark.long
def test_the_parent_does_not_grow(tmp_path):
    """In a process of its own: this one grows with every test."""
    program = written(tmp_path, DOES)
    works = f"""
import os
from contextlib import suppress
from pathlib import Path
from fv.analysis.report import Failed
from fv.jobs.analyst import Analyst
from tests.analysts import case
analyst = Analyst(program=Path({str(program)!r}), jobs=10)
for number in range(201):
    with suppress(Failed):
        analyst.examine(case("raise SystemExit" if number % 10 == 3 else "", id_photo=bytes(4_000_000)))
    if number % 100 == 0:
        print(Path("/proc/self/statm").read_text().split()[1], len(os.listdir("/proc/self/fd")))
analyst.close()
"""
    root = Path(__file__).parent.parent
    said = subprocess.run([sys.executable, "-c", works], cwd=root, capture_output=True, text=True, check=True).stdout
    _, (before, files), (after, files_then) = (map(int, line.split()) for line in said.splitlines())
    assert (after - before) * os.sysconf("SC_PAGE_SIZE") < 8_000_000 and files == files_then


# ── The real stages ──────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_extras_every_stage_says_that_it_is_not_installed(make):
    analyst = make(WITHOUT_EXTRAS + f"import runpy; runpy.run_path({str(examiner.PROGRAM)!r})['main'](sys.argv[1])")
    report = analyst.examine(case(id_photo=b"x"))
    assert report.document_state == "unavailable" and report.faces == {} and report.detections == ()
    assert {"reading", "faces"} <= report.failures.keys() and report.seconds.keys() <= {"consistency"}
    assert report.refusals == {"selfie": "unavailable", "id_photo": "unavailable"}


def test_without_the_extras_the_doctor_says_what_is_missing_and_how_it_is_installed(tmp_path):
    program = WITHOUT_EXTRAS + "sys.argv = ['fv', 'doctor']\nfrom fv.cli import main\nmain()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FV_")}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment | {"FV_INSTANCE": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    lines = [line for line in said.splitlines() if line[7:20].strip() == "analysis"]
    assert len(lines) == 2 and all(line.startswith("note") for line in lines)
    assert "rapidocr and onnxruntime and cv2 not installed: documents are not read" in lines[0]
    assert lines[0].endswith(f"Run: {sys.executable} -m pip install 'facevault-server[ocr]'")
    assert lines[1].endswith(f"Run: {sys.executable} -m pip install 'facevault-server[face]'")


def test_a_start_without_the_extras_says_what_is_not_examined():
    program = WITHOUT_EXTRAS + "from fv import serving\nprint(serving.unexamined())"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == (
        "Documents are not read and faces are not compared: a person decides each session. "
        "`fv doctor` says what to install.\n"
    )
    assert serving.unexamined() == ""


def test_the_program_of_the_product_works_without_a_network():
    examines = """
import sys
from fv.jobs.analyst import Analyst
from tests.analysts import case
analyst = Analyst()
print(analyst.examine(case(id_photo=b"no photo")).document_state)
analyst.close()
"""
    root = Path(__file__).parent.parent
    said = subprocess.run(without_network(examines), cwd=root, capture_output=True, text=True, check=False)
    assert said.stdout == "unavailable\n", said.stderr


def test_without_a_network_means_without_one():
    connects = "import socket, sys; socket.create_connection(('127.0.0.1', {}), 5)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = connects.format(server.getsockname()[1])
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
        refused = subprocess.run(without_network(program), capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "OSError" in refused.stderr
