/* Rows of a flag's form: added and removed without asking the server, and the shares of variants while weights change.
   Long lists of boxes can be searched. */
(function () {
  "use strict";

  function addRow(rows) {
    const total = rows.querySelector('[name$="-TOTAL_FORMS"]');
    const most = Number(rows.querySelector('[name$="-MAX_NUM_FORMS"]').value);
    const number = Number(total.value);
    if (number >= most) return;
    const made = document.createElement("template");
    made.innerHTML = rows.querySelector("template").innerHTML.replace(/__prefix__/g, String(number));
    const row = made.content.firstElementChild;
    rows.querySelector("[data-rows-in]").appendChild(row);
    total.value = String(number + 1);
    if (window.DateTimeShortcuts) drawShortcuts(row);
    const first = row.querySelector("input:not([type=hidden]), textarea");
    if (first) first.focus();
  }

  // Django draws its calendar and clock beside inputs that are there when the page loads.
  function drawShortcuts(row) {
    row.querySelectorAll("input.vDateField").forEach(function (input) { window.DateTimeShortcuts.addCalendar(input); });
    row.querySelectorAll("input.vTimeField").forEach(function (input) { window.DateTimeShortcuts.addClock(input); });
  }

  function isRemoved(row) {
    const box = row.querySelector('[name$="-DELETE"]');
    return Boolean(box && box.checked);
  }

  function showShares(rows) {
    const all = Array.from(rows.querySelectorAll("[data-row]")).map(function (row) {
      const isUsed = row.querySelector('[name$="-name"]').value.trim() !== "" && !isRemoved(row);
      const weight = Number(row.querySelector('[name$="-weight"]').value);
      return { row: row, weight: isUsed && weight > 0 ? weight : 0, isUsed: isUsed };
    });
    const total = all.reduce(function (sum, one) { return sum + one.weight; }, 0);
    all.forEach(function (one) {
      const share = one.isUsed && total ? Number((100 * one.weight / total).toPrecision(3)) + " %" : "–";
      one.row.querySelector("[data-share]").textContent = share;
    });
  }

  function update(rows) {
    rows.querySelectorAll("[data-row]").forEach(function (row) { row.classList.toggle("row-removed", isRemoved(row)); });
    if (rows.hasAttribute("data-shares")) showShares(rows);
  }

  // What is chosen stays in sight, whatever is searched for.
  function addSearch(boxes) {
    const choices = Array.from(boxes.children);
    if (choices.length < 10) return;
    const search = document.createElement("input");
    search.type = "search";
    search.className = "boxes-search";
    search.placeholder = "Find by key";
    search.setAttribute("aria-label", "Find a flag among the prerequisites");
    search.addEventListener("input", function () {
      const words = search.value.toLowerCase().split(/\s+/);
      choices.forEach(function (choice) {
        const said = choice.textContent.toLowerCase();
        const isFound = words.every(function (word) { return said.includes(word); });
        choice.hidden = !isFound && !choice.querySelector("input").checked;
      });
    });
    // Enter looks, and sends no form.
    search.addEventListener("keydown", function (event) { if (event.key === "Enter") event.preventDefault(); });
    boxes.before(search);
  }

  // Whoever is led to a rung finds it open.
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  if (wanted instanceof HTMLDetailsElement) {
    wanted.open = true;
    wanted.scrollIntoView();
  }

  document.querySelectorAll("#id_needs").forEach(addSearch);

  document.querySelectorAll("[data-rows]").forEach(function (rows) {
    rows.querySelector(".rows-more").addEventListener("click", function (event) {
      event.preventDefault();
      addRow(rows);
      update(rows);
    });
    rows.addEventListener("input", function () { update(rows); });
    rows.addEventListener("change", function () { update(rows); });
    update(rows);
  });
})();
