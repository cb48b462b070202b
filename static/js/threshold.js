// The threshold slider: exchanges the words of the page for those of another threshold, all of which
// the server has sent along. Without this the form asks the server.
"use strict";
(() => {
  const island = document.getElementById("thresholds");
  const slider = document.querySelector("input[data-threshold]");
  if (!island || !slider) return;
  const all = JSON.parse(island.textContent);
  const button = slider.form.querySelector("button");
  if (button) button.hidden = true;

  const show = () => {
    const chosen = all[Math.round(Number(slider.value) * (all.length - 1))];
    for (const place of document.querySelectorAll("[data-said]")) {
      place.textContent = chosen.said[place.dataset.said];
    }
    slider.setAttribute("aria-valuetext", chosen.said.cut);
    document.dispatchEvent(new CustomEvent("thresholdmoved", { detail: chosen.places }));
  };
  slider.addEventListener("input", show);
  slider.addEventListener("change", () => {
    const address = new URL(location.href);
    address.searchParams.set("cut", slider.value);
    history.replaceState(null, "", address);
  });
})();
