// Fresh figures every ten seconds for what is marked data-live; never under somebody's eyes or hand.
"use strict";
(() => {
  const STILL = 8000; // milliseconds without the pointer moving over it
  let moved = 0;
  const live = () => document.querySelector("[data-live]");
  document.addEventListener("pointermove", (event) => {
    if (live()?.contains(event.target)) moved = Date.now();
  });
  const reading = () => {
    const place = live();
    return Date.now() - moved < STILL || window.scrollY > 120 || !getSelection().isCollapsed ||
      place.contains(document.activeElement) || place.querySelector("details[open]") !== null;
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === live() && (document.hidden || reading())) event.preventDefault();
  });
  // It may have been taken up between the question and the answer.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target === live() && reading()) event.detail.shouldSwap = false;
  });
})();
