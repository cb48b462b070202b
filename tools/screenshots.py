"""`make screenshots`: every page in three looks, of a throw-away installation with a demo day.

Starts the whole platform in a temporary folder on a free port, walks it as each role, and leaves
the pictures in var/screenshots. `make queue-picture` takes only the one of the README. Needs
Chromium.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
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


@contextmanager
def installation() -> Iterator[tuple[str, dict[str, str]]]:
    """A running platform: its address and the passwords by user name."""
    with tempfile.TemporaryDirectory(prefix="as-shots-") as var, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        given = {**os.environ, "ANOMALYSHIELD_VAR": var, "PORT": port}
        command = [sys.executable, "manage.py", "up"]
        up = subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.PIPE, text=True)
        try:
            yield f"http://127.0.0.1:{port}", _passwords(up)
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
    """The name of the address, as urls.py has it."""
    from django.urls import Resolver404, resolve

    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


def logged_in(browser: "Browser", base: str, who: str, password: str) -> "Page":
    from tools.walker import DESK

    page = browser.new_context(base_url=base, viewport=DESK).new_page()  # type: ignore[arg-type]
    page.goto("/accounts/login/")
    page.fill("#id_login", who)
    page.fill("#id_password", password)
    page.click("button:has-text('Log in')")
    return page


def queue(base: str, passwords: dict[str, str], chromium: str) -> list[str]:
    """The alert queue as the README shows it: one screen, as an analyst finds it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = logged_in(browser, base, "ana", passwords["ana"])
        for _ in range(60):  # a fresh demo's explanations are still on their way
            page.goto("/alerts/")
            if not page.get_by_text("reasons follow").count():
                break
            page.wait_for_timeout(1000)
        README.parent.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1366, "height": 620})  # who clones waits for every byte
        page.screenshot(path=README)
        browser.close()
    return [f"{README.relative_to(ROOT)}: {README.stat().st_size:,} bytes"]


def walk(base: str, passwords: dict[str, str], chromium: str) -> list[str]:
    """Every page as everybody who sees it first; the home page as each."""
    from playwright.sync_api import sync_playwright

    from tools.walker import Walk

    taken: set[str] = set()
    findings: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for who in PEOPLE:
            page = logged_in(browser, base, who, passwords[who])
            walker = Walk(page, who, base, kind_of)
            for kind in walker.pages([base + "/"]):
                name = f"home-{who}" if kind == "home" else kind
                if name not in taken:
                    taken.add(name)
                    walker.picture(OUT, name)
                    walker.examine(kind)
            findings += walker.findings
            page.context.close()
        browser.close()
    print(f"{len(taken)} pages in three looks: {OUT}")
    return findings


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is not installed (Debian: apt-get install chromium).")
    import django

    django.setup()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    take = queue if sys.argv[1:] == ["queue"] else walk
    with installation() as (base, passwords):
        print(*take(base, passwords, chromium), sep="\n")


if __name__ == "__main__":
    main()
