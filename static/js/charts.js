// Draws every <div class="chart" data-chart="name"> from the page's JSON island of that name.
"use strict";
(() => {
  const island = document.getElementById("charts");
  if (!island) return;
  const data = JSON.parse(island.textContent);
  const settings = { showSendToCloud: false, displaylogo: false, responsive: true,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };

  // Custom properties made of light-dark() have no computed value of their own; colours of text do.
  const ink = (name) => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.className = `ink-${name}`;
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
  // Decimal mark, then that of thousands, in the language of the page: axes and hover follow it.
  const marks = ["decimal", "group"].map((type) => new Intl.NumberFormat(document.documentElement.lang)
    .formatToParts(12345.6).find((part) => part.type === type).value).join("");
  const axis = (more) => ({ gridcolor: ink("line"), zerolinecolor: ink("line"),
    linecolor: ink("line"), automargin: true, ...more });

  const draw = (box) => {
    const chart = data[box.dataset.chart];
    if (!chart) return;
    const traces = chart.traces.map(({ ink: name, ...trace }) => ({
      ...trace,
      line: { color: ink(name), width: 2, ...trace.line },
      marker: { color: ink(name), size: 7, ...trace.marker },
    }));
    const layout = {
      separators: marks, height: 300, margin: { l: 52, r: 12, t: 8, b: 44 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink("muted") },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, barmode: "overlay", hovermode: "closest",
      xaxis: axis(chart.x), yaxis: axis(chart.y),
    };
    window.Plotly.react(box, traces, layout, settings);
  };
  const all = () => document.querySelectorAll(".chart[data-chart]").forEach(draw);

  // The slider of another script moves the mark of a threshold: {chart: [x, y]}.
  const move = ({ detail: places }) => {
    for (const [name, [x, y]] of Object.entries(places)) {
      const at = (data[name]?.traces ?? []).findIndex((trace) => trace.meta === "threshold");
      if (at < 0) continue;
      Object.assign(data[name].traces[at], { x: [x], y: [y] });
      const box = document.querySelector(`.chart[data-chart="${name}"]`);
      if (window.Plotly && box.data) window.Plotly.restyle(box, { x: [[x]], y: [[y]] }, [at]);
    }
  };
  document.addEventListener("thresholdmoved", move);

  const start = () => {
    all();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
    new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  };

  // While it loads, plotly puts a <style> for maps into the page, which our policy forbids and no
  // chart of ours needs: it gets an inert <template> in its place.
  const make = document.createElement;
  const script = document.createElement("script");
  const loaded = () => { document.createElement = make; };
  document.createElement = (name, ...more) =>
    make.call(document, name === "style" ? "template" : name, ...more);
  script.addEventListener("load", () => { loaded(); start(); });
  script.addEventListener("error", loaded); // the table twins stay
  script.src = document.currentScript.dataset.plotly;
  document.head.append(script);
})();
