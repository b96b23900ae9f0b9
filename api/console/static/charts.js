// The overview's charts: the last hour as the service has kept it, and every second what the stream brings.
"use strict";
(() => {
  const KEEP_SECONDS = 3600;
  const ASK_AGAIN_MS = 15000;
  // A new installation shows the minutes that it has; no fewer than these, so that a line does not jump.
  const SHORTEST_SECONDS = 600;
  const DASHES = [[], [5, 3], [1.5, 3]];
  const charts = [];
  let points = [];

  const colour = (name) => {
    // A custom property may hold light-dark(); only a real property tells which of the two holds now.
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  const short = (value) => (value > 0 && value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value % 1 && value < 10 ? 1 : 0)} s`);
  const UNITS = {
    count: (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 }),
    seconds: (value) => (value < 120 ? short(value) : `${Math.round(value / 60)} min`),
    milliseconds: (value) => (value < 1000 ? `${Math.round(value)} ms` : short(value / 1000)),
  };
  const shown = (figure, value) => (value == null ? "—" : UNITS[figure.dataset.unit](value));
  const names = (figure) => figure.dataset.series.split(" ");
  const rows = (figure) => [points.map((point) => point.time), ...names(figure).map((name) => points.map((point) => point[name] ?? null))];

  function span(low, high) {
    if (low == null) return [low, high];
    const first = points.find((point) => Object.keys(point).length > 1)?.time ?? low;
    return [Math.max(low, Math.min(first, high - SHORTEST_SECONDS)), high];
  }

  function options(figure, plot) {
    const [line, muted] = ["line", "muted"].map(colour);
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: muted, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    return {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      cursor: { sync: { key: "overview" }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true, range: (_, low, high) => span(low, high) }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [
        { ...axis, space: 60, size: 24, values: (_, times) => times.map((time) => new Date(time * 1000).toISOString().slice(11, 16)) },
        { ...axis, space: 28, size: 52, values: (_, values) => values.map((value) => shown(figure, value)) },
      ],
      series: [{}, ...names(figure).map((name, index) => ({
        label: name, stroke: colour(`series-${index + 1}`), width: 1.5, dash: DASHES[index], points: { show: false }, spanGaps: false,
      }))],
      hooks: { setCursor: [(chart) => tell(figure, chart.cursor.idx)] },
    };
  }

  // The key shows the values under the cursor, and else the newest.
  function tell(figure, index) {
    const point = points[index ?? points.length - 1] ?? {};
    names(figure).forEach((name) => {
      const value = figure.querySelector(`[data-value="${name}"]`);
      if (value) value.textContent = shown(figure, point[name]);
    });
  }

  function draw() {
    charts.splice(0).forEach(({ chart, seen }) => { seen.disconnect(); chart.destroy(); });
    document.querySelectorAll("[data-series]").forEach((figure) => {
      const plot = figure.querySelector(".plot");
      const chart = new uPlot(options(figure, plot), rows(figure), plot);
      const seen = new ResizeObserver(() => chart.setSize({ width: plot.clientWidth, height: plot.clientHeight }));
      seen.observe(plot);
      charts.push({ figure, chart, seen });
      tell(figure, null);
    });
  }

  function update() {
    charts.forEach(({ figure, chart }) => {
      chart.setData(rows(figure));
      if (chart.cursor.idx == null) tell(figure, null);
    });
  }

  async function asked() {
    try {
      const answer = await fetch("/console/overview/history", { headers: { "HX-Request": "true" } });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null; // the page is being left, or the service is away: what is shown stays
    }
  }

  async function ask() {
    if (document.hidden) return;
    const history = await asked();
    if (!history) return;
    points = history.points;
    for (const [name, text] of Object.entries(history.summaries)) {
      const summary = document.getElementById(`summary-${name}`);
      if (summary) summary.textContent = text;
    }
    if (charts.length) update(); else draw();
  }

  document.addEventListener("point", (event) => {
    const point = JSON.parse(event.detail.data);
    if (points.length && point.time <= points.at(-1).time) return;
    points.push(point);
    while (points[0].time < point.time - KEEP_SECONDS) points.shift();
    update();
  });
  document.addEventListener("theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("DOMContentLoaded", ask);
  setInterval(ask, ASK_AGAIN_MS);
})();
