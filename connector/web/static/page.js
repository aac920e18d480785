// Draws the charts, and keeps the page fresh without a flash. Everything else works without this file.
"use strict";
(() => {
  const AGAIN = 10000;
  const live = () => [...document.querySelectorAll("[data-live]")];
  const stale = document.querySelector(".stale");
  let drawn = [];

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (n) => n === null ? "" : n >= 1e6 ? +(n / 1e6).toFixed(1) + " M" : n >= 1e4 ? Math.round(n / 1e3) + " k" : String(+n.toFixed(1));
  const long = (s) => s === null ? "" : s >= 7200 ? Math.round(s / 3600) + " h" : s >= 120 ? Math.round(s / 60) + " min" : Math.round(s) + " s";
  const hour = (t) => new Date(t * 1000).toISOString().slice(11, 16);

  const series = {
    lines: () => [{label: "lines", stroke: color("--chart"), fill: color("--chart"), paths: uPlot.paths.bars({size: [0.8, 20]}), points: {show: false}}],
    lag: () => [{label: "lag", stroke: color("--chart-2"), width: 2, spanGaps: true, points: {show: true, size: 5}}],
    calls: () => [
      {label: "calls", stroke: color("--chart"), width: 2, points: {show: false}},
      {label: "foreseen", stroke: color("--chart"), width: 2, dash: [5, 5], points: {show: false}},
      {label: "allowed", stroke: color("--stopped"), width: 1, points: {show: false}},
    ],
  };

  function draw(box, data, words) {
    const axis = {stroke: color("--soft"), grid: {stroke: color("--grid"), width: 1}, ticks: {stroke: color("--grid")}};
    const top = Math.max(box.dataset.chart === "lag" ? 60 : 4, ...data.slice(1).flat().filter((n) => n !== null));
    return new uPlot({
      width: box.clientWidth, height: box.clientHeight, legend: {show: false}, cursor: {drag: {x: false, y: false}},
      tzDate: (t) => uPlot.tzDate(new Date(t * 1e3), "Etc/UTC"),
      scales: {y: {range: [0, top * 1.1]}},
      axes: [{...axis, values: (_, at) => at.map(hour), space: 60}, {...axis, size: 58, values: (_, at) => at.map(words)}],
      series: [{}, ...series[box.dataset.chart]()],
    }, data, box);
  }

  async function charts() {
    const boxes = [...document.querySelectorAll("[data-chart]")];
    if (!boxes.length || typeof uPlot === "undefined") return;
    const answer = await fetch("/charts.json", {cache: "no-store"});
    if (!answer.ok) return;
    const data = await answer.json();
    drawn.forEach((one) => one.destroy());
    drawn = boxes.map((box) => draw(box, data[box.dataset.chart], box.dataset.chart === "lag" ? long : short));
  }

  // What has the focus keeps it, and what was opened stays open.
  function place(old, fresh) {
    if (old.innerHTML === fresh.innerHTML) return;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const key = focused && [focused.tagName, focused.getAttribute("href"), focused.getAttribute("aria-labelledby"), focused.textContent];
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    const scrolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((one, at) => { one.open = Boolean(open[at]); });
    old.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = scrolled[at] || 0; });
    if (key) {
      const same = [...old.querySelectorAll(key[0])].find((one) => one.getAttribute("href") === key[1] && one.getAttribute("aria-labelledby") === key[2] && (key[0] !== "SUMMARY" || one.textContent === key[3]));
      if (same) same.focus({preventScroll: true});
    }
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, {cache: "no-store"});
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const parts = [...fresh.querySelectorAll("[data-live]")];
      if (parts.length !== live().length) { location.reload(); return; }
      live().forEach((old, at) => place(old, parts[at]));
      document.title = fresh.title;
      stale.hidden = true;
      await charts();
    } catch {
      stale.hidden = false;
    }
  }

  charts().catch(() => {});
  if (live().length) {
    setInterval(refresh, AGAIN);
    document.addEventListener("visibilitychange", refresh);
  }
  addEventListener("resize", () => drawn.forEach((one) => one.setSize({width: one.root.parentElement.clientWidth, height: one.root.parentElement.clientHeight})));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts().catch(() => {}));
})();
