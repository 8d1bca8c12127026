/* Draws figure[data-chart="use"] from the table it names, so that picture and table cannot disagree. */
(() => {
  "use strict";

  const VARIANTS = 5; // colours that the stylesheet has for them
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");

  function read(table) {
    const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.dataset.series);
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells]);
    return {
      labels: rows.map(([label]) => label.textContent.trim()),
      series: names.map((name, index) => ({ name, data: rows.map((cells) => Number(cells[index + 1].dataset.value)) })),
    };
  }

  /** "on" and "off" have colours of their own, variants take the next ones. */
  function colours(figure, series) {
    const style = getComputedStyle(figure);
    const named = (name) => style.getPropertyValue(`--use-${name}`).trim();
    let taken = 0;
    const own = (name) => (name === "on" || name === "off" ? named(name) : named((taken++ % VARIANTS) + 1));
    return { series: series.map(({ name }) => own(name)), text: named("text"), grid: named("grid"), ground: named("ground") };
  }

  function configuration({ labels, series }, colour) {
    const ticks = { color: colour.text };
    return {
      type: "bar",
      data: {
        labels,
        datasets: series.map(({ name, data }, index) => ({ label: name, data, backgroundColor: colour.series[index], borderColor: colour.ground, borderWidth: { top: 1 }, maxBarThickness: 36 })),
      },
      options: {
        maintainAspectRatio: false,
        animation: still.matches ? false : { duration: 250 },
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { stacked: true, grid: { display: false }, border: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 } },
          y: { stacked: true, beginAtZero: true, grid: { color: colour.grid }, border: { display: false }, ticks: { ...ticks, precision: 0 } },
        },
        plugins: { legend: { position: "bottom", onClick: null, labels: { color: colour.text, usePointStyle: true, pointStyle: "rectRounded" } } },
      },
    };
  }

  function draw(figure) {
    const table = document.getElementById(figure.dataset.table);
    const canvas = figure.querySelector("canvas");
    const told = read(table);
    const caption = figure.querySelector("figcaption").textContent.trim().replace(/\s+/g, " ");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${caption}. The table holds the same figures.`);
    figure.classList.add("is-drawn");
    let chart = null;
    const show = () => {
      chart?.destroy();
      chart = new Chart(canvas, configuration(told, colours(figure, told.series)));
    };
    show();
    dark.addEventListener("change", show);
    // The admin site's own switch between light and dark.
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  document.querySelectorAll('figure[data-chart="use"]').forEach(draw);
})();
