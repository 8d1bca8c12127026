/* Draws figure[data-chart="price-range"] from the table it names, so that picture and table cannot disagree. */
(() => {
  "use strict";

  const NUMBERS = ["minimum", "q1", "median", "mean", "q3", "maximum"];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");

  /** The rows of the table as objects; a row without minimum and maximum has nothing to draw. */
  function read(table) {
    const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells].map((cell) => cell.dataset.series);
    const rows = [...table.tBodies].flatMap((body) => [...body.rows].map((row) => readRow(row, headings)));
    return rows.filter((row) => row.minimum !== null && row.maximum !== null);
  }

  function readRow(row, headings) {
    const found = Object.fromEntries(NUMBERS.map((name) => [name, null]));
    headings.forEach((name, index) => {
      const cell = row.cells[index];
      if (!cell) return;
      if (name === "label") found.label = cell.dataset.value || cell.textContent.trim();
      else if (NUMBERS.includes(name)) found[name] = number(cell.dataset.value);
    });
    return found;
  }

  function number(text) {
    const value = Number(text);
    return text && Number.isFinite(value) ? value : null;
  }

  /** A long name in lines of about `length` characters, so that it is not cut off beside the bars. */
  function wrap(name, length = 18) {
    return name.split(/\s+/).reduce((lines, word) => {
      const joined = `${lines.at(-1)} ${word}`;
      if (lines.length && joined.length <= length) return [...lines.slice(0, -1), joined];
      return [...lines, word.length > length ? `${word.slice(0, length - 1)}…` : word];
    }, []).slice(0, 3);
  }

  function formatter(unit, options = {}) {
    const money = /^[A-Z]{3}$/.test(unit || "");
    const style = money ? { style: "currency", currency: unit } : { maximumFractionDigits: 2 };
    const format = new Intl.NumberFormat(document.documentElement.lang || undefined, { ...style, ...options });
    return (value) => (money || !unit ? format.format(value) : `${format.format(value)} ${unit}`);
  }

  /** The colours that the stylesheet gives to this figure now, in this colour scheme. */
  function colours(figure) {
    const style = getComputedStyle(figure);
    const names = ["bar", "mark", "band", "grid", "text", "ground"];
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--chart-${name}`).trim()]));
  }

  function paint(settings, colour) {
    const [mean, range] = settings.data.datasets;
    const { scales, plugins } = settings.options;
    Object.assign(range, { backgroundColor: colour.bar, borderColor: colour.bar });
    Object.assign(mean, { backgroundColor: colour.mark, borderColor: colour.ground });
    scales.x.ticks.color = plugins.legend.labels.color = colour.text;
    scales.x.grid.color = colour.grid;
    scales.y.ticks.color = colour.mark;
    Object.assign(plugins.market, { band: colour.band, text: colour.text });
    return settings;
  }

  /** The middle half of the market as a band, its median as a line, behind the bars. */
  const market = {
    id: "market",
    beforeDatasetsDraw({ ctx, chartArea: { top, bottom, left, right }, scales: { x } }, _, options) {
      const { q1, q3, median, band, text, label } = options;
      const at = x.getPixelForValue(median);
      ctx.save();
      if (q1 !== null && q3 !== null) {
        Object.assign(ctx, { fillStyle: band, globalAlpha: 0.16 });
        ctx.fillRect(x.getPixelForValue(q1), top, x.getPixelForValue(q3) - x.getPixelForValue(q1), bottom - top);
      }
      if (median !== null) {
        Object.assign(ctx, { strokeStyle: text, fillStyle: text, globalAlpha: 1 });
        ctx.setLineDash([4, 4]);
        ctx.beginPath();
        ctx.moveTo(at, top - 4);
        ctx.lineTo(at, bottom);
        ctx.stroke();
        ctx.font = `12px ${Chart.defaults.font.family}`;
        const half = ctx.measureText(label).width / 2;
        ctx.textAlign = "center";
        ctx.fillText(label, Math.min(Math.max(at, left + half), right - half), top - 10);
      }
      ctx.restore();
    },
  };

  function configuration(figure, rows) {
    const format = formatter(figure.dataset.unit);
    const short = formatter(figure.dataset.unit, { trailingZeroDisplay: "stripIfInteger" });
    const [q1, q3, median] = ["q1", "q3", "median"].map((name) => number(figure.dataset[name]));
    const edges = rows.flatMap((row) => [row.minimum, row.maximum]).concat([q1, q3, median].filter((at) => at !== null));
    const margin = (Math.max(...edges) - Math.min(...edges)) * 0.05 || 1;
    const label = median === null ? "" : `Market median ${format(median)}`;
    const said = (item) => (Array.isArray(item.raw) ? item.raw.map(format).join(" to ") : format(item.raw));
    return {
      type: "bar",
      data: {
        labels: rows.map((row) => wrap(row.label)),
        datasets: [
          { type: "line", label: "Mean", data: rows.map((row) => row.mean), showLine: false, pointStyle: "rectRot", pointRadius: 7, pointHoverRadius: 9, borderWidth: 2 },
          { label: "Lowest to highest", data: rows.map((row) => [row.minimum, row.maximum]), pointStyle: "rectRounded", maxBarThickness: 16, borderRadius: 4, borderSkipped: false },
        ],
      },
      options: {
        indexAxis: "y",
        maintainAspectRatio: false,
        animation: still.matches ? false : { duration: 250 },
        layout: { padding: { top: label ? 24 : 0 } },
        scales: {
          x: { beginAtZero: false, suggestedMin: Math.min(...edges) - margin, suggestedMax: Math.max(...edges) + margin, border: { display: false }, grid: {}, ticks: { callback: short, maxRotation: 0, autoSkipPadding: 10 } },
          y: { border: { display: false }, grid: { display: false }, ticks: { autoSkip: false } },
        },
        plugins: {
          market: { q1, q3, median, label },
          legend: { position: "bottom", onClick: null, labels: { usePointStyle: true } },
          tooltip: { callbacks: { title: ([item]) => rows[item.dataIndex].label, label: (item) => `${item.dataset.label}: ${said(item)}` } },
        },
      },
      plugins: [market],
    };
  }

  function draw(figure) {
    const table = document.getElementById(figure.dataset.table);
    const canvas = figure.querySelector("canvas");
    const rows = table && canvas ? read(table) : [];
    if (!rows.length) return;
    canvas.setAttribute("role", "img");
    const caption = figure.querySelector("figcaption").textContent.trim().replace(/\s+/g, " ").replace(/\.$/, "");
    canvas.setAttribute("aria-label", `${caption}. The table holds the same figures.`);
    figure.classList.add("is-drawn");
    canvas.parentElement.style.height = `${rows.length * 40 + 110}px`;
    let chart = null;
    const show = () => {
      chart?.destroy();
      chart = new Chart(canvas, paint(configuration(figure, rows), colours(figure)));
    };
    show();
    dark.addEventListener("change", show);
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  document.querySelectorAll('figure[data-chart="price-range"]').forEach(draw);
})();
