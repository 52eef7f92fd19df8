// Sorts tables, switches between light and dark, and opens what is folded before it is printed. The page is whole without it.
"use strict";
(() => {
  const root = document.documentElement;
  const NAME = "harness-report-theme";
  const THEMES = ["auto", "light", "dark"];

  function kept() {
    try { return THEMES.includes(localStorage.getItem(NAME)) ? localStorage.getItem(NAME) : "auto"; } catch { return "auto"; }
  }

  function show(theme) {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try { localStorage.setItem(NAME, theme); } catch { /* the page may not keep anything */ }
  }

  function addSwitch() {
    const button = document.createElement("button");
    const name = (theme) => { button.textContent = `Theme: ${theme}`; };
    button.type = "button";
    button.className = "theme";
    name(kept());
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
      show(next);
      name(next);
    });
    document.querySelector("main > header").prepend(button);
  }

  const UNITS = { s: 1, min: 60, hours: 3600, k: 1e3, M: 1e6 };

  // A number at the beginning of a cell, behind "p <" and the like; what has none comes last.
  function number(text) {
    const plain = text.replaceAll("\u2212", "-").replace(/(\d),(?=\d{3})/g, "$1");
    const found = /^(?:[pP] )?[<>=~]?\s*(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?: (s|min|hours|k|M)\b)?/.exec(plain);
    return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) : null;
  }

  function compare(column, numeric, sign) {
    return ([, a], [, b]) => {
      const [one, other] = [a, b].map((row) => row.cells[column].textContent.trim());
      if (!numeric) return sign * one.localeCompare(other, "en", { numeric: true });
      const [x, y] = [number(one), number(other)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x - y);
    };
  }

  function sort(head, rows, body) {
    const heads = [...head.parentElement.cells];
    const turn = { none: "ascending", ascending: "descending", descending: "none" };
    const order = turn[head.getAttribute("aria-sort") ?? "none"];
    for (const one of heads) one.removeAttribute("aria-sort");
    const sorted = [...rows.entries()];
    if (order !== "none") {
      head.setAttribute("aria-sort", order);
      sorted.sort(compare(heads.indexOf(head), head.classList.contains("number"), order === "ascending" ? 1 : -1));
    }
    body.append(...sorted.map(([, row]) => row));
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    if (rows.length < 2) return;
    for (const head of table.tHead.rows[0].cells) {
      const name = document.createElement("span");  // no <button>, which heads lose where they are printed again
      name.className = "sort";
      name.role = "button";
      name.tabIndex = 0;
      name.append(...head.childNodes);
      name.addEventListener("click", () => sort(head, rows, body));
      name.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort(head, rows, body);
      });
      head.append(name);
    }
  }

  // Only what can be scrolled is a stop for the Tab key.
  function fitStops() {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  show(kept());
  document.addEventListener("DOMContentLoaded", () => {
    addSwitch();
    document.querySelectorAll("table").forEach(makeSortable);
    fitStops();
  });
  addEventListener("resize", fitStops);
  document.addEventListener("toggle", fitStops, true);

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
