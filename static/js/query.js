// The search of the queue goes on by itself: a combobox whose list comes from the server. Without it the field is a field.
"use strict";
(() => {
  const box = document.querySelector("[data-complete]");
  if (!box) return;
  const field = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  let found = null;
  let at = -1;
  let asked = 0;
  let waiting;

  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false",
  })) field.setAttribute(name, value);

  const close = () => {
    clearTimeout(waiting);
    asked += 1;
    found = null;
    at = -1;
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (to) => {
    at = to;
    [...list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === at));
      if (index === at) option.scrollIntoView({ block: "nearest" });
    });
    if (at < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `completion-${at}`);
  };
  const take = (index) => {
    const { start, end, options } = found;
    const chosen = options[index].insert;
    const whole = /[a-z]$/i.test(chosen) && !chosen.endsWith(":") && field.value.slice(0, start).match(/[:=,]$/);
    field.setRangeText(chosen + (whole ? " " : ""), start, end, "end");
    close();
    field.focus();
    ask();
  };
  const show = (answer) => {
    const typed = field.value.slice(answer.start, answer.end);
    if (!answer.options.length || (answer.options.length === 1 && answer.options[0].insert === typed)) return close();
    found = answer;
    list.replaceChildren(...answer.options.map((option, index) => {
      const item = document.createElement("li");
      item.id = `completion-${index}`;
      item.setAttribute("role", "option");
      for (const words of [option.insert, option.hint]) {
        const part = document.createElement("span");
        part.textContent = words;
        item.append(part);
      }
      item.lastChild.className = "muted";
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(index); });
      return item;
    }));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark(-1);
  };
  const ask = () => {
    clearTimeout(waiting);
    const mine = ++asked;
    waiting = setTimeout(async () => {
      const query = new URLSearchParams({ q: field.value, at: field.selectionStart });
      try {
        const answer = await fetch(`${box.dataset.complete}?${query}`);
        const told = answer.ok ? await answer.json() : null;
        if (told && mine === asked && document.activeElement === field) show(told);
      } catch { /* it is only a help */ }
    }, 80);
  };

  // What the list offers belongs to the words it was asked for: taken a letter later it would land in the middle of them.
  field.addEventListener("input", () => { close(); ask(); });
  field.addEventListener("focus", () => { if (!field.value) ask(); });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (!found) {
      if (event.key === "ArrowDown") { event.preventDefault(); ask(); }
      return;
    }
    const last = found.options.length - 1;
    if (event.key === "ArrowDown") mark(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") mark(at <= 0 ? last : at - 1);
    else if (event.key === "Enter" && at >= 0) take(at);
    else if (event.key === "Tab" && at >= 0 && !event.shiftKey) take(at);
    else if (event.key === "Escape") { close(); event.stopPropagation(); }
    else return;
    event.preventDefault();
  });
})();
