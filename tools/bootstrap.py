"""Makes the virtual environment and installs the pinned requirements, once; then runs a command.

    python3 tools/bootstrap.py [--dev|--extras] [manage.py up …]

Only the standard library is used, and nothing newer than Python 3.6 in this file's syntax, so that
an old Python still gets as far as the sentence that says what is needed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
NEWER = ["python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"]
# The larger sets contain the smaller one, with the same pins.
SETS = {
    "--base": ["requirements.txt"],
    "--dev": ["requirements-dev.txt", "requirements.txt"],
    "--extras": ["requirements-extras.txt", "requirements.txt"],
}


def main(arguments: list) -> None:
    chosen = arguments.pop(0) if arguments and arguments[0] in SETS else "--base"
    refuse_windows()
    use_a_new_enough_python()
    prepare(SETS[chosen])
    if arguments:
        become(arguments)


def refuse_windows() -> None:
    if os.name == "nt":
        sys.exit("The packaged servers do not run on Windows: use `docker compose up` or WSL.")


def use_a_new_enough_python() -> None:
    """Go on in this Python or start over in a newer one; without one, a sentence."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        program = shutil.which(name)
        if program and new_enough(program):
            os.execv(program, [program, *sys.argv])
    sys.exit(
        f"AnomalyShield needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}. Install one (for example `apt install "
        "python3.11 python3.11-venv` or `uv python install 3.12`) and try again; "
        "`make run PYTHON=/path/to/python` uses one that is not on the PATH."
    )


def new_enough(program: str) -> bool:
    return runs([program, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"])


def runs(command: list) -> bool:
    """Whether a command succeeds; its words are nobody's concern."""
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


# --- the environment ------------------------------------------------------------------------------
def prepare(files: list) -> None:
    """Install the first of the files, unless exactly it is installed already."""
    wanted = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in files}
    done = installed()
    if all(done.get(name) == value for name, value in wanted.items()):
        return
    # One whose base Python was removed, or belongs to another user, does not start.
    if not new_enough(str(PYTHON)):
        phase("virtual environment", make_environment)
        done = {}
    phase("packages of " + files[0], lambda: install(files[0]))
    done.update(wanted)
    STAMP.write_text(json.dumps(done, indent=1), encoding="utf-8")


def installed() -> dict:
    """The hashes of the requirements files that were installed, if the environment works."""
    try:
        done = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return done if new_enough(str(PYTHON)) else {}


def make_environment() -> None:
    if VENV.exists():
        shutil.rmtree(str(VENV))
    uv = shutil.which("uv")
    if uv:
        call([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)])
    elif runs([sys.executable, "-c", "import ensurepip"]):
        call([sys.executable, "-m", "venv", str(VENV)])
    else:
        sys.exit(
            "\nThis Python has no `venv`. Install it (Debian and Ubuntu: `apt install python"
            f"{sys.version_info[0]}.{sys.version_info[1]}-venv`) or install uv, and try again."
        )


def install(name: str) -> None:
    """Every file's hash is checked. Compiling all of it would take as long as installing it."""
    uv = shutil.which("uv")
    where = ["--require-hashes", "-r", str(ROOT / name)]
    if uv:
        call([uv, "pip", "install", "--quiet", "--python", str(PYTHON), *where])
        return
    if not runs([str(PYTHON), "-m", "pip", "--version"]):  # an environment made by uv
        call([str(PYTHON), "-m", "ensurepip"])
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call([*pip, "--no-compile", "--only-binary=:all:", *where])


def call(command: list) -> None:
    if subprocess.call(command) != 0:
        sys.exit(
            f"\n`{' '.join(command[:4])} …` failed, see above. Installing needs the network this "
            "once (afterwards nothing does). Behind a proxy set HTTPS_PROXY; for a mirror set "
            "PIP_INDEX_URL, or UV_INDEX_URL for uv."
        )


def phase(name: str, work: object) -> None:
    print(f"  {name} ".ljust(46, "."), end="", flush=True)
    start = time.monotonic()
    work()
    print(f" {time.monotonic() - start:5.1f} s", flush=True)


def become(arguments: list) -> None:
    """Turn into the command, so that Ctrl-C and the exit code are the command's own."""
    os.chdir(str(ROOT))
    os.execve(str(PYTHON), [str(PYTHON), *arguments], environment())


def environment() -> dict:
    """What the command is started with; compiled code has a place, whatever was asked for.

    Who has Python write none wants no such files beside the source. But without any, each of a
    dozen processes compiles all it imports anew, seconds of both cores; so they go to the packages.
    """
    given = dict(os.environ)
    if given.pop("PYTHONDONTWRITEBYTECODE", ""):
        given.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "compiled"))
    return given


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nStopped; what was installed so far is kept.")
