"""Walks every page of a running site in a browser, from link to link, and notes what is wrong.

One page of each kind is opened: addresses that differ only by the object's number are one kind.
What is noted: breaches of the content policy, errors of scripts, names of elements that are given
twice, pages wider than a telephone, and what axe-core, if it is given, finds in light and in dark.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Response
from playwright.sync_api import Error as BrowserError

LISTEN = """
window.__breaches = [];
document.addEventListener("securitypolicyviolation", (event) => window.__breaches.push(
  `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
# By the attribute: a link within a drawing has an object where others have a text.
LINKS = """() => [...document.querySelectorAll("a[href]:not([download])")].map(
  (link) => new URL(link.getAttribute("href"), document.baseURI).href)"""
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return "";
  const within = (element) => element.closest(".scroll, .panel:has(> table.data), .tall");
  const wide = [...document.querySelectorAll("main *, header *")].find(
    (element) => element.getBoundingClientRect().right > room + 1 && !within(element));
  return `${document.documentElement.scrollWidth} px wide` + (wide ? `: <${wide.tagName} class=` +
    `"${wide.getAttribute("class") ?? ""}"> ${wide.textContent.trim().slice(0, 40)}` : "");
}"""
# A manual draws itself; until then a picture shows that it is being loaded.
DRAWN = "() => !document.querySelector('redoc') || document.querySelector('redoc h1')"
AXE = """(options) => axe.run(document, options).then((found) => found.violations.map((one) =>
  `${one.id}: ${one.help}: ` + one.nodes.slice(0, 3).map(
    (node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).join(" | ")))"""
# What a page is made of, without words and figures: equal rows count once, a drawing is a drawing.
SHAPE = """() => {
  const shape = (element) => {
    const marks = [...element.attributes].map(({ name, value }) =>
      /^(class|role|type|hidden|disabled|scope|aria-(hidden|current|expanded|selected))$/.test(name)
        ? `${name}=${value}` : name).sort();
    const inner = element.closest("svg") ? [] : new Set([...element.children].map(shape));
    const words = element.textContent.trim() ? "" : "0";
    return `<${element.localName} ${marks}${words}>${[...inner].join("")}</>`;
  };
  return shape(document.body);
}"""
# Everything a page says, in words and in names for those who do not see; no code, nothing typed.
SAID = """() => {
  const silent = "script, style, code, pre, kbd, textarea, [name=timezone] *, [translate=no]";
  const said = [];
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walk.nextNode())
    if (!walk.currentNode.parentElement.closest(silent)) said.push(walk.currentNode.textContent);
  for (const element of document.querySelectorAll("[title], [aria-label], [placeholder], [alt]"))
    if (!element.closest(silent)) for (const name of ["title", "aria-label", "placeholder", "alt"])
      said.push(element.getAttribute(name) ?? "");
  return [...new Set(said.map((text) => text.trim().replace(/\\s+/g, " ")))].filter(Boolean);
}"""
TWICE = """() => {
  const names = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return names.filter((name, place) => names.indexOf(name) !== place).join(", ");
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESK, TELEPHONE = {"width": 1366, "height": 768}, {"width": 400, "height": 860}


@dataclass
class Walk:
    """One person's way through the site; `kind_of` gives an address its name, "" to pass it by."""

    page: Page
    who: str
    base: str
    kind_of: Callable[[str], str]
    foreign: Callable[[str], str] | None = None  # what in a text is not in this person's language
    axe: str = ""  # the script's text; without it nobody looks at colours, names and roles
    seen: dict[str, str] = field(default_factory=dict)  # kind → address
    findings: list[str] = field(default_factory=list)
    shapes: set[str] = field(default_factory=set)  # looked at already, by whomever shares the set

    def __post_init__(self) -> None:
        self.page.add_init_script(LISTEN)
        self.page.on("pageerror", lambda error: self.note("script", str(error)))
        self.page.on("console", self._heard)

    def pages(self, start: list[str]) -> Iterator[str]:
        """Open one page of each kind; while a name is yielded, the browser stands on that page."""
        waiting = list(start)
        while waiting:
            address = waiting.pop(0)
            kind = self.kind_of(urlsplit(address).path)
            if not kind or kind in self.seen:
                continue
            answer = self._opened(address)
            self.seen[kind] = address
            if answer is None:
                continue
            if answer.status >= 400:
                self.note(kind, f"answers {answer.status} at {address}")
                continue
            waiting += [link for link in self.page.evaluate(LINKS) if link.startswith(self.base)]
            yield kind

    def examine(self, kind: str) -> None:
        """Everything this module looks for, on the page the browser stands on.

        axe-core takes a second a page: a page of a shape somebody has looked at is not asked again.
        """
        if self.axe and self._is_new(kind):
            self.page.evaluate(self.axe)  # by the debugger: a script element would be refused
            self._axe(kind, "light", {"runOnly": TAGS})
            self.page.emulate_media(color_scheme="dark")
            self._axe(kind, "dark", {"runOnly": ["color-contrast", "link-in-text-block"]})
            self.page.emulate_media(color_scheme="light")
        if self.foreign:
            for text in self.page.evaluate(SAID):
                if words := self.foreign(text):
                    self.note(kind, f"another language: {words}: {text[:90]}")
        if twice := self.page.evaluate(TWICE):
            self.note(kind, f"several elements are called {twice}")
        self.page.set_viewport_size(TELEPHONE)
        if wide := self.page.evaluate(TOO_WIDE):
            self.note(kind, f"at 400 px it is {wide}")
        self.page.set_viewport_size(DESK)
        for breach in self.page.evaluate("window.__breaches"):
            self.note(kind, f"content policy: {breach}")

    def _is_new(self, kind: str) -> bool:
        before = len(self.shapes)
        self.shapes.add(f"{kind} {self.page.evaluate(SHAPE)}")
        return len(self.shapes) > before

    def picture(self, folder: Path, name: str) -> None:
        """The page in three looks: light, dark, telephone."""
        self.page.wait_for_function(DRAWN)
        for look, scheme, size in (
            ("light", "light", DESK),
            ("dark", "dark", DESK),
            ("phone", "light", TELEPHONE),
        ):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.screenshot(  # colours that fade would be caught half way
                path=folder / f"{name}-{look}.png", full_page=True, animations="disabled"
            )
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(DESK)

    def note(self, kind: str, words: str) -> None:
        self.findings.append(f"{self.who} · {kind} · {words}")

    def _opened(self, address: str) -> Response | None:
        """The answer; None for what is no page."""
        try:
            answer = self.page.goto(address)
            self.page.wait_for_load_state("load")
        except BrowserError as error:
            if "Download is starting" in str(error) or "ERR_ABORTED" in str(error):
                return None
            raise
        kind = (answer.headers if answer else {}).get("content-type", "")
        return answer if kind.startswith("text/html") else None

    def _axe(self, kind: str, look: str, options: dict[str, list[str]]) -> None:
        for found in self.page.evaluate(AXE, options):
            self.note(kind, f"{look}: {found}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.note(self.kind_of(urlsplit(self.page.url).path), f"console: {message.text}")
