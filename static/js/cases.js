// The board by keyboard: arrows (or h j k l) go from card to card and from column to column. Everything works without it.
"use strict";
(() => {
  const board = document.querySelector("[data-board]");
  if (!board || document.body.dataset.keys === "off") return;
  const columns = [...board.querySelectorAll(".column")].map((column) => [...column.querySelectorAll("[data-card]")]);
  const steps = { ArrowDown: [0, 1], j: [0, 1], ArrowUp: [0, -1], k: [0, -1], ArrowRight: [1, 0], l: [1, 0], ArrowLeft: [-1, 0], h: [-1, 0] };
  const place = () => {
    const card = document.activeElement?.closest(".card")?.querySelector("[data-card]");
    const column = columns.findIndex((cards) => cards.includes(card));
    return column < 0 ? null : [column, columns[column].indexOf(card)];
  };
  document.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, select, textarea")) return;
    const here = place();
    const arrow = event.key.startsWith("Arrow");
    if (!here && arrow) return; // arrows scroll until somebody stands on a card
    let [column, row] = here ?? [0, -1];
    if (step[0] && here) {
      do { column += step[0]; } while (columns[column] && !columns[column].length);
      if (!columns[column]) return;
    } else {
      row += step[1];
    }
    if (!here) column = columns.findIndex((cards) => cards.length);
    const cards = columns[column] ?? [];
    const card = cards[Math.min(Math.max(row, 0), cards.length - 1)];
    if (!card) return;
    event.preventDefault();
    card.focus();
    card.closest(".card").scrollIntoView({ block: "nearest", inline: "nearest" });
  });
})();
