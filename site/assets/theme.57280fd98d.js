/* Light or dark: the system decides until the reader does. The choice is kept in the browser. */
(function () {
  "use strict";
  const KEY = "btv-report-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      const value = window.localStorage.getItem(KEY);
      return value === "light" || value === "dark" ? value : null;
    } catch {
      return null; // storage may be blocked; the page then follows the system
    }
  }

  function current() {
    return root.dataset.theme || (system.matches ? "dark" : "light");
  }

  function announce() {
    document.dispatchEvent(new CustomEvent("btv:theme"));
  }

  const choice = stored();
  if (choice) root.dataset.theme = choice;

  document.addEventListener("DOMContentLoaded", function () {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    function label() {
      const other = current() === "dark" ? "light" : "dark";
      button.textContent = other === "dark" ? "Dark" : "Light";
      button.setAttribute("aria-label", "Switch to the " + other + " theme");
    }
    button.hidden = false;
    label();
    button.addEventListener("click", function () {
      const next = current() === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      try {
        window.localStorage.setItem(KEY, next);
      } catch {
        // the choice then lasts for this page only
      }
      label();
      announce();
    });
    system.addEventListener("change", function () {
      label();
      announce();
    });
  });

  // On paper, or in a PDF that is passed on, links to the site's other files lead nowhere.
  window.addEventListener("beforeprint", function () {
    for (const link of document.querySelectorAll("a[href]")) {
      const href = link.getAttribute("href");
      if (href.startsWith("#") || href.startsWith("https:")) continue;
      link.dataset.href = href;
      link.removeAttribute("href");
    }
  });
  window.addEventListener("afterprint", function () {
    for (const link of document.querySelectorAll("a[data-href]")) link.setAttribute("href", link.dataset.href);
  });
})();
