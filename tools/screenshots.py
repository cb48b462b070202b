"""`make screenshots`: every page in three looks, of a throw-away installation with a demo day.

Starts the whole platform in a temporary folder on a free port, puts one of each thing there that
only people make, walks it as each role, and leaves the pictures in var/screenshots, with a page
that shows them all. `make queue-picture` takes only the one of the README. Needs Chromium.
"""

import html
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anomalyshield.settings")
OUT = ROOT / "var" / "screenshots"
README = ROOT / "docs" / "images" / "queue.png"
PEOPLE = ("ana", "lena", "dana", "mona", "adam")
LOGIN = re.compile(r"\b(ana|lena|dana|mona|otto|adam)\s+(\S{12,})")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOOKS = ("light", "dark", "phone")
# Pages that are others in all but their address.
MORE = {
    "alerts-snoozed": "/alerts/?status=snoozed",
    "alerts-decided": "/alerts/?status=closed",
    "reviews-answered": "/reviews/?show=answered",
}
TABS = {"analytics-tab"}  # an address for each of several pages
FURNISH = "import django; django.setup(); from tests.browser import test_every_page as walk; "
FURNISH += "import json; print(json.dumps(walk.furnish()))"
SHEET = """<!doctype html><meta charset="utf-8"><title>Every page</title>
<style>body { font: 15px system-ui; margin: 2rem } img { width: 30%; vertical-align: top;
border: 1px solid #bbb; margin: .3rem } h2 { margin-top: 2rem }</style>
<h1>Every page in light, dark and 400 px</h1>
"""


class Place:
    """A running platform: where it keeps its data, its address, passwords by user name."""

    def __init__(self, var: str, port: str) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.given = {**os.environ, "ANOMALYSHIELD_VAR": var, "PORT": port}
        self.passwords: dict[str, str] = {}

    def furnish(self) -> dict[str, list[str]]:
        """One of each thing that a demo has not; by person, what no link leads to."""
        import json

        command = [sys.executable, "-c", FURNISH]
        done = subprocess.run(
            command, cwd=ROOT, env=self.given, stdout=subprocess.PIPE, text=True, check=True
        )
        found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
        return found


@contextmanager
def installation() -> Iterator[Place]:
    """A platform of its own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="as-shots-") as var, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        place = Place(var, port)
        command = [sys.executable, "manage.py", "up"]
        up = subprocess.Popen(command, cwd=ROOT, env=place.given, stdout=subprocess.PIPE, text=True)
        try:
            place.passwords = _passwords(up)
            yield place
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)


def _passwords(up: subprocess.Popen[str]) -> dict[str, str]:
    """Read from what it says until it is ready."""
    found: dict[str, str] = {}
    for line in up.stdout or ():
        print(line, end="", flush=True)
        found.update(LOGIN.findall(line))
        if "is ready:" in line and found.keys() >= set(PEOPLE):
            return found
    raise SystemExit("The platform did not start; its last words stand above.")


def kind_of(path: str) -> str:
    """The name of the address, as urls.py has it; of tabs each its own."""
    from django.urls import Resolver404, resolve

    try:
        found = resolve(path)
    except Resolver404:
        return ""
    name = found.url_name or ""
    return f"{name}-{found.kwargs['tab']}" if name in TABS else name


def logged_in(browser: "Browser", place: Place, who: str) -> "Page":
    from tools.walker import DESK

    page = browser.new_context(base_url=place.base, viewport=DESK).new_page()  # type: ignore[arg-type]
    page.goto("/accounts/login/")
    page.fill("#id_login", who)
    page.fill("#id_password", place.passwords[who])
    page.click("button:has-text('Log in')")
    page.wait_for_selector("details.who")
    return page


def queue(place: Place, browser: "Browser") -> list[str]:
    """The alert queue as the README shows it: one screen, as an analyst finds it."""
    page = logged_in(browser, place, "ana")
    for _ in range(60):  # a fresh demo's explanations are still on their way
        page.goto("/alerts/")
        if not page.get_by_text("reasons follow").count():
            break
        page.wait_for_timeout(1000)
    README.parent.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1366, "height": 620})  # who clones waits for every byte
    page.screenshot(path=README)
    return [f"{README.relative_to(ROOT)}: {README.stat().st_size:,} bytes"]


def walk(place: Place, browser: "Browser", people: Iterable[str]) -> list[str]:
    """Every page as each of these people, in a folder of theirs; what is wrong with them."""
    findings: list[str] = []
    shutil.rmtree(OUT, ignore_errors=True)
    hidden, taken = place.furnish(), {}
    for who in people:
        taken[who], found = _walked(place, browser, who, hidden.get(who, []))
        findings += found
        print(f"{who}: {len(taken[who])} pages", flush=True)
    (OUT / "index.html").write_text(_sheet(taken), encoding="utf-8")
    return [*findings, f"{sum(map(len, taken.values()))} pages in three looks: {OUT}/index.html"]


def _walked(
    place: Place, browser: "Browser", who: str, hidden: list[str]
) -> tuple[list[str], list[str]]:
    from tools.walker import Walk

    page, folder, taken = logged_in(browser, place, who), OUT / who, []
    folder.mkdir(parents=True)
    walker = Walk(page, who, place.base, kind_of)
    for kind in walker.pages([place.base + path for path in ("/", *hidden)]):
        walker.picture(folder, kind)
        walker.examine(kind)
        taken.append(kind)
    for name, address in MORE.items():
        if (answer := page.goto(address)) and answer.ok:
            walker.picture(folder, name)
            taken.append(name)
    page.context.close()
    return sorted(taken), walker.findings


def _sheet(taken: dict[str, list[str]]) -> str:
    """All pictures on one page, by person."""
    parts = [SHEET]
    for who, names in taken.items():
        parts.append(f"<h2>{html.escape(who)}</h2>")
        for name in names:
            shown = "".join(
                f'<a href="{who}/{name}-{look}.png"><img loading="lazy"'
                f' src="{who}/{name}-{look}.png" alt="{name}, {look}"></a>'
                for look in LOOKS
            )
            parts.append(f"<h3>{html.escape(name)}</h3>{shown}")
    return "\n".join(parts)


def main() -> None:
    """`queue` takes the README's picture; names of people walk as them alone."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is not installed (Debian: apt-get install chromium).")
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {"queue", *PEOPLE}:
        raise SystemExit(f"Nobody is called {', '.join(sorted(unknown))}: {', '.join(PEOPLE)}.")
    import django
    from playwright.sync_api import sync_playwright

    django.setup()
    with installation() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        told = (
            queue(place, browser) if wanted == ["queue"] else walk(place, browser, wanted or PEOPLE)
        )
        print(*told, sep="\n")
        browser.close()


if __name__ == "__main__":
    main()
