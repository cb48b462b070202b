// The palette of pages and ids (Ctrl+K) and the list of keys (?). Without it the jump box and the side bar do the same.
"use strict";
(() => {
  const palette = document.getElementById("palette");
  const help = document.getElementById("keys-help");
  if (!palette) return;
  const field = palette.querySelector("input");
  const list = palette.querySelector("ul");
  const links = [...list.querySelectorAll("a")];
  const nothing = palette.querySelector("p");
  const shown = () => [...list.querySelectorAll("li:not([hidden]) a")];
  const named = /^([ac]-?|(b|btl|l|q|r|s)-)\d+$/i; // a number as pages show it

  // Whose name begins so stands first, then whose words do, then what has it anywhere, its heading included.
  const rank = (link, wanted) => {
    const title = link.firstElementChild.textContent.toLowerCase();
    const ways = [title.startsWith(wanted), title.includes(` ${wanted}`), title.includes(wanted), link.textContent.toLowerCase().includes(wanted)];
    return ways.includes(true) ? ways.indexOf(true) : ways.length;
  };
  const narrow = () => {
    const wanted = field.value.trim().toLowerCase();
    const ranks = new Map(links.map((link) => [link, rank(link, wanted)]));
    list.append(...[...links].sort((a, b) => ranks.get(a) - ranks.get(b)).map((link) => link.parentElement));
    const best = Math.min(...ranks.values());
    for (const [link, at] of ranks) link.parentElement.hidden = at > 3 || (at === 3 && best < 3);
    for (const link of links) delete link.dataset.first;
    if (wanted && shown().length) shown()[0].dataset.first = "";
    list.scrollTop = 0;
    nothing.hidden = shown().length > 0;
  };
  const open = () => {
    if (palette.open) return palette.close();
    document.querySelector("dialog[open]")?.close();
    field.value = "";
    narrow();
    palette.showModal();
    field.focus();
  };
  field.addEventListener("input", narrow);
  field.form.addEventListener("submit", (event) => {
    const [first] = shown();
    if (!field.value.trim()) return event.preventDefault();
    if (!first || named.test(field.value.trim())) return;
    event.preventDefault();
    location.assign(first.href);
  });
  palette.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [field, ...shown()];
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  });
  for (const dialog of [palette, help]) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      return open();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
      event.preventDefault();
      return event.target.form?.requestSubmit();
    }
    const off = document.body.dataset.keys === "off" || document.querySelector("dialog[open]");
    if (event.key !== "?" || off || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    event.preventDefault();
    help.showModal();
  });
  for (const button of document.querySelectorAll("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
})();
