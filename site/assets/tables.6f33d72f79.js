/*
 * Sorts tables that carry data-sortable and filters the list of targets; the state of the list stands in the address, so that
 * it can be shared.
 */
(function () {
  "use strict";

  function key(row, column) {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent.trim();
    const plain = text.replace("\u2212", "-").replaceAll(",", "");
    const number = text === "" || text === "—" ? NaN : Number(plain);
    return { text, number };
  }

  function compare(a, b) {
    const unknownA = a.text === "" || a.text.startsWith("—");
    const unknownB = b.text === "" || b.text.startsWith("—");
    if (unknownA || unknownB) return null; // unknown values stay last, whichever way a table is sorted
    if (!Number.isNaN(a.number) && !Number.isNaN(b.number)) return a.number - b.number;
    return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
  }

  function sortBy(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, index) => ({ row, index, key: key(row, column) }));
    rows.sort(function (a, b) {
      const order = compare(a.key, b.key);
      if (order === null) {
        const lastA = a.key.text === "" || a.key.text.startsWith("—") ? 1 : 0;
        const lastB = b.key.text === "" || b.key.text.startsWith("—") ? 1 : 0;
        return lastA - lastB || a.index - b.index;
      }
      return (direction === "descending" ? -order : order) || a.index - b.index;
    });
    body.append(...rows.map((item) => item.row));
    [...table.tHead.rows[0].cells].forEach(function (heading, index) {
      if (index === column) heading.setAttribute("aria-sort", direction);
      else heading.removeAttribute("aria-sort");
    });
  }

  function makeSortable(table, changed) {
    [...table.tHead.rows[0].cells].forEach(function (heading, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", function () {
        const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        sortBy(table, column, direction);
        changed(column, direction);
      });
    });
  }

  function makeFilter(form) {
    const table = document.getElementById(form.dataset.filterFor);
    const empty = document.querySelector("[data-empty]");
    const rows = [...table.tBodies[0].rows];
    const state = new URLSearchParams(window.location.hash.slice(1));

    function save() {
      const text = state.toString();
      try {
        window.history.replaceState(null, "", text ? "#" + text : window.location.pathname + window.location.search);
      } catch {
        // some browsers refuse this for files; the filter works all the same
      }
    }

    function apply() {
      const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
      const verdict = form.elements.verdict.value;
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word));
        row.hidden = !(fits && (!verdict || row.dataset.verdicts.split(" ").includes(verdict)));
        if (!row.hidden) shown += 1;
      }
      form.elements.count.value = shown === rows.length ? rows.length + " shown" : shown + " of " + rows.length + " shown";
      empty.hidden = shown > 0;
      for (const name of ["q", "verdict"]) {
        if (form.elements[name].value) state.set(name, form.elements[name].value);
        else state.delete(name);
      }
    }

    form.hidden = false;
    form.elements.q.value = state.get("q") || "";
    form.elements.verdict.value = state.get("verdict") || "";
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", function () {
      apply();
      save();
    });
    const column = Number(state.get("sort"));
    if (state.has("sort") && Number.isInteger(column) && column >= 0 && column < table.tHead.rows[0].cells.length) {
      sortBy(table, column, state.get("order") === "descending" ? "descending" : "ascending");
    }
    apply();
    return function (sorted, direction) {
      state.set("sort", String(sorted));
      state.set("order", direction);
      save();
    };
  }

  const form = document.querySelector("[data-filter-for]");
  const remember = form ? makeFilter(form) : () => {};
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const own = form && table.id === form.dataset.filterFor;
    makeSortable(table, own ? remember : () => {});
  }

  // A link to a folded-up product opens it.
  function openTarget() {
    const target = window.location.hash.length > 1 && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();
})();
