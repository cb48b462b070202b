// The next alert takes the place of this one: what a form of the page is answered with, without another page load.
// Where anything is not as expected the browser sends the form itself, as it does without this.
"use strict";
(() => {
  const PARTS = [".top h1", ".top .actions", "main"];
  const address = () => location.pathname + location.search;
  let shown = address();
  let busy = false; // one answer is awaited: a second key waits for its page

  const show = (text, stands) => {
    const next = new DOMParser().parseFromString(text, "text/html");
    const [fresh, old] = [next, document].map((page) => PARTS.map((part) => page.querySelector(part)));
    if (fresh.includes(null) || old.includes(null)) return location.assign(stands);
    document.title = next.title;
    old.forEach((part, at) => part.replaceChildren(...fresh[at].childNodes));
    if (stands !== shown) history.pushState(null, "", stands);
    shown = address();
    scrollTo(0, 0);
    const main = document.querySelector("main");
    main.removeAttribute("aria-busy");
    main.focus({ preventScroll: true }); // where a reader of the screen goes on
    window.htmx?.process(main);
    document.dispatchEvent(new Event("page:shown"));
  };

  const natively = (form, sender, to) => {
    if (sender?.name) {
      const said = Object.assign(document.createElement("input"), { type: "hidden", name: sender.name, value: sender.value });
      form.append(said);
    }
    form.setAttribute("action", to);
    HTMLFormElement.prototype.submit.call(form);
  };

  const sent = async (form, sender, to) => {
    const body = new URLSearchParams(new FormData(form, sender));
    const answer = await fetch(to, { method: "POST", body, headers: { "X-In-Place": "alert" } });
    const [there, stands] = ["X-Go-To", "Content-Location"].map((name) => answer.headers.get(name));
    if (there) return location.assign(there);
    if (!stands) return answer.ok ? location.reload() : natively(form, sender, to);
    show(await answer.text(), stands);
    busy = false;
  };

  document.addEventListener("submit", (event) => {
    const [form, sender] = [event.target, event.submitter];
    if (event.defaultPrevented || !form.matches("[data-in-place]") || !document.querySelector(".alert-page")) return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    document.querySelector("main").ariaBusy = "true";
    const to = sender?.getAttribute("formaction") ?? form.getAttribute("action");
    sent(form, sender, to).catch(() => natively(form, sender, to));
  });

  // Back and forward: what an address says may have changed since, so it is asked for again.
  addEventListener("popstate", () => { if (address() !== shown) location.reload(); });
})();
