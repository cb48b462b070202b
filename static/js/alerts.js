// Keys for pages of work (queue, alert, case, links, reviews), and a refresh that never moves what is being read.
"use strict";
(() => {
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
  const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;

  const off = document.body.dataset.keys === "off"; // by this person's choice

  // --- keys: an element with data-key is pressed by that key, a field is gone to; digits are for verdicts
  const hint = () => {
    for (const element of document.querySelectorAll(".decision-bar :is([data-key], [data-digit]), .actions [data-key], .notice [data-key], :is(.panel, .buttons) :is(a, button, summary)[data-key]")) {
      if (off || element.matches("input, select") || element.querySelector(":scope > kbd")) continue;
      const key = document.createElement("kbd");
      key.textContent = element.dataset.key ?? element.dataset.digit;
      element.append(key);
    }
    for (const words of document.querySelectorAll("body [data-keys]")) words.hidden = off; // body itself says "off"
  };
  hint();

  const press = (key) => {
    const element = document.querySelector(`[data-key="${CSS.escape(key)}"], [data-digit="${CSS.escape(key)}"]`);
    if (!element || element.disabled) return false;
    if (element.matches("input, select")) element.closest("details")?.setAttribute("open", "");
    // What is decided for good is gone to, and done by Enter.
    if (element.matches("input, select, textarea, [data-goes-to]")) element.focus();
    else element.click();
    // What a summary opens is filled in at once.
    const opened = element.matches("summary") && element.parentElement.open;
    if (opened) element.parentElement.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    return true;
  };

  const move = (step) => {
    const links = [...document.querySelectorAll("[data-row] .c-id a, .link-map .node > a:first-child")];
    if (!links.length) return false;
    const place = (link) => link.closest("[data-row], .node");
    const here = links.findIndex((link) => place(link).contains(document.activeElement));
    const at = here < 0 ? links.findIndex((link) => link.matches("[aria-current]")) : here;
    const next = Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest", inline: "nearest" });
    for (const link of links) if (place(link).matches("tr")) place(link).ariaSelected = String(link === links[next]);
    return true;
  };

  const tick = () => {
    const box = document.activeElement?.closest("[data-row]")?.querySelector(".c-tick input:enabled");
    if (box) box.checked = !box.checked;
    return Boolean(box);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) return event.target.blur();
    if (off || !plain(event) || typing(event.target) || document.querySelector("dialog[open]")) return;
    const done = event.key === "j" ? move(1) : event.key === "k" ? move(-1) : event.key === "x" ? tick() : press(event.key);
    if (done) event.preventDefault();
  });

  // --- the alert one was given: kept while the page is open, free again when it is left
  const given = () => document.querySelector("[data-renew]");
  const send = (address) => {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    return fetch(address, { method: "POST", body, keepalive: true }).catch(() => null);
  };
  const renew = () => { if (given() && !document.hidden) send(given().dataset.renew); };
  let staying = false; // a form of this page leads back to it, or has just decided it
  document.addEventListener("submit", (event) => { staying ||= event.target.method === "post"; });
  setInterval(renew, 60000);
  document.addEventListener("visibilitychange", renew);
  addEventListener("pagehide", () => { if (given() && !staying) send(given().dataset.leave); });
  addEventListener("pageshow", (event) => {
    staying = false;
    if (event.persisted) renew();
  });
  document.addEventListener("page:shown", () => { // another alert stands in the place of the one before
    staying = false;
    hint();
  });

  // --- the refresh: the table only while nobody reads it, else how many alerts are new
  let moved = 0;
  document.addEventListener("pointermove", (event) => {
    if (event.target.closest?.("#queue")) moved = Date.now();
  });
  const reading = () => {
    const queue = document.getElementById("queue");
    return Date.now() - moved < 15000 || window.scrollY > 120 || !getSelection().isCollapsed ||
      (queue !== null && (queue.contains(document.activeElement) || queue.querySelector(".c-tick input:checked") !== null));
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    const id = event.target.id;
    if (id !== "queue" && id !== "news") return;
    if (document.hidden || reading() !== (id === "news")) event.preventDefault();
  });
})();
