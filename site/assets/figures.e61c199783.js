/*
 * Makes a picture interactive when a reader points at it or focuses it: Plotly, loaded once, draws the data that stand beside
 * the picture, at its size. When anything fails, the picture stays.
 */
(function () {
  "use strict";
  const bundle = document.currentScript.dataset.plotly;
  const DWELL_MS = 120; // a pointer that only passes by draws nothing
  const drawn = new Map();
  let loading = null;

  function load() {
    loading ??= new Promise(function (resolve, reject) {
      const script = document.createElement("script");
      script.src = bundle;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error("the plotting script did not load"));
      document.head.append(script);
    });
    return loading;
  }

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function themed(layout) {
    const clear = "rgba(0,0,0,0)";
    const axis = {
      gridcolor: token("--grid"), linecolor: token("--axis"), tickcolor: token("--axis"), zerolinecolor: token("--grid"),
      automargin: true,
    };
    const result = {
      ...layout,
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      colorway: ["--ink", "--accent", "--model", "--muted"].map(token),
      font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: token("--ink") },
      hoverlabel: { bgcolor: token("--surface"), bordercolor: token("--axis"), font: { color: token("--ink") } },
      margin: layout.margin || { l: 48, r: 12, t: 12, b: 40 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, ...layout.legend },
    };
    for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))])) {
      result[name] = { ...axis, ...layout[name] };
    }
    return result;
  }

  async function draw(figure) {
    if (drawn.has(figure)) return;
    const picture = figure.querySelector("[data-picture]");
    const source = figure.querySelector('script[type="application/json"]');
    if (!picture || !source) return;
    drawn.set(figure, null);
    let plot = null;
    try {
      const plotly = await load();
      const spec = JSON.parse(source.textContent);
      const box = picture.getBoundingClientRect();
      plot = document.createElement("div");
      plot.className = "plot";
      picture.append(plot);
      const layout = { ...themed(spec.layout || {}), width: box.width, height: box.height, autosize: false };
      await plotly.newPlot(plot, spec.data, layout, {
        displaylogo: false,
        modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
      });
      picture.classList.add("is-interactive");
      drawn.set(figure, plot);
    } catch {
      if (plot) plot.remove();
      drawn.delete(figure);
    }
  }

  function restore(figure) {
    const plot = drawn.get(figure);
    if (!plot) return;
    window.Plotly.purge(plot);
    plot.remove();
    figure.querySelector("[data-picture]").classList.remove("is-interactive");
    drawn.delete(figure);
  }

  function redrawAll() {
    for (const [figure, plot] of [...drawn]) {
      if (!plot) continue;
      restore(figure);
      draw(figure);
    }
  }

  function watch(figure) {
    const picture = figure.querySelector("[data-picture]");
    if (!picture) return;
    let timer = 0;
    picture.tabIndex = 0;
    picture.setAttribute("role", "group");
    picture.setAttribute("aria-label", picture.dataset.title + ", interactive");
    picture.addEventListener("pointerenter", function (event) {
      if (event.pointerType === "touch") return; // a finger that scrolls must not be caught by a plot; a tap draws
      timer = window.setTimeout(() => draw(figure), DWELL_MS);
    });
    picture.addEventListener("pointerleave", () => window.clearTimeout(timer));
    picture.addEventListener("focus", () => draw(figure));
    picture.addEventListener("click", () => draw(figure));
    picture.addEventListener("keydown", function (event) {
      if (event.key === "Escape") restore(figure);
    });
  }

  const figures = [...document.querySelectorAll("[data-figure]")];
  figures.forEach(watch);

  // Scrolling near a figure fetches the bundle, so that the first hover is not kept waiting; nothing is fetched before.
  if ("IntersectionObserver" in window) {
    const near = new IntersectionObserver(function (entries) {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      load().catch(() => {
        loading = null; // tried again when a reader points at a figure
      });
    }, { rootMargin: "200px" });
    window.addEventListener("scroll", () => figures.forEach((figure) => near.observe(figure)), { once: true, passive: true });
  }

  let width = window.innerWidth;
  window.addEventListener("resize", function () {
    if (window.innerWidth === width) return; // a phone's address bar changes the height only
    width = window.innerWidth;
    for (const figure of [...drawn.keys()]) restore(figure);
  });
  window.addEventListener("beforeprint", () => [...drawn.keys()].forEach(restore));
  document.addEventListener("btv:theme", redrawAll);
})();
