/*
 * Makes a picture interactive when a reader points at it or focuses it: Plotly, loaded once, draws the data that stand beside
 * the picture into the picture's own plot area. Titles, keys, colour bar and compass of the picture stay around it. When
 * anything fails, the picture stays.
 */
(function () {
  "use strict";
  const bundle = document.currentScript.dataset.plotly;
  const DWELL_MS = 120; // a pointer that only passes by draws nothing
  const COLOURS = { "#1c2128": "--ink", "#b4530a": "--accent", "#0e7490": "--model", "#5a626e": "--muted" };
  const HINT = "drag: zoom · double-click: reset";
  const values = document.getElementById("figure-values");
  const shared = values ? JSON.parse(values.textContent) : [];
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

  // The colours of the picture that stands alone become those of the theme.
  function read(source) {
    return expand(JSON.parse(source.textContent));
  }

  // What several figures hold stands once on the page, and numbers as short integers; render/islands.py writes both.
  function expand(value) {
    if (typeof value === "string") return value in COLOURS ? token(COLOURS[value]) : value;
    if (Array.isArray(value)) return value.map(expand);
    if (value === null || typeof value !== "object") return value;
    if ("q" in value) return numbers(value);
    const made = {};
    for (const [key, item] of Object.entries(value)) if (key !== "$") made[key] = expand(item);
    if (!("$" in value)) return made;
    const base = expand(shared[value.$]);
    return Object.keys(made).length ? { ...base, ...made } : base;
  }

  // Integers of `b` bits, that of ones alone for no value, as start + integer * step; numbers have the decimals of the step.
  function numbers({ q, n, b, s: [start, step], shape }) {
    const bytes = atob(q);
    const decimals = Math.round(-Math.log10(step));
    const none = 2 ** b - 1;
    let at = 0;
    let held = 0; // bits that were read and not used, below the lowest `left`
    let left = 0;
    const values = Array.from({ length: shape ? shape[0] * shape[1] : n }, function () {
      for (; left < b; left += 8) held = ((held << 8) | bytes.charCodeAt(at++)) >>> 0;
      left -= b;
      const integer = (held >>> left) & none;
      return integer === none ? null : Number((start + integer * step).toFixed(decimals));
    });
    if (!shape) return values;
    return Array.from({ length: shape[0] }, (_, row) => values.slice(row * shape[1], (row + 1) * shape[1]));
  }

  // A light casing below a mark or line, as the picture has it, so that it shows on any colour.
  function casing(trace) {
    const below = { ...trace, mode: trace.mode.replace("+text", ""), hoverinfo: "skip", opacity: 0.85 };
    if (trace.line) below.line = { ...trace.line, color: "#fff", width: trace.line.width + 2.5 };
    if (trace.marker) below.marker = { ...trace.marker, color: "#fff", line: { width: trace.marker.line.width + 2.5 } };
    return below;
  }

  function traces(data, scale, size) {
    const result = [];
    for (const trace of data) {
      const made = { ...trace };
      if (made.error_y) made.customdata = made.error_y.array;
      if (made.marker) {
        const sizes = [made.marker.size].flat().map((value) => value * scale);
        made.marker = { ...made.marker, size: sizes.length > 1 ? sizes : sizes[0] };
      }
      if (trace.meta === "cased") {
        const halo = ["1px 0", "-1px 0", "0 1px", "0 -1px"].map((place) => place + " 1px #fff").join(",");
        if (made.text) made.textfont = { color: made.marker.color, size, weight: 600, shadow: halo };
        result.push(casing(made));
      }
      result.push(made);
    }
    return result;
  }

  function layout(spec, box, scale, size) {
    const clear = "rgba(0,0,0,0)";
    const image = spec.data[0].type === "heatmap";
    const line = token("--axis");
    const axis = {
      exponentformat: "none", gridcolor: token("--grid"), showgrid: !image, showline: true, mirror: image, linecolor: line,
      zeroline: false, zerolinecolor: line, ticks: "outside", ticklen: scale < 0.8 ? 2 : 4, tickcolor: line,
      tickfont: { size: scale < 0.8 ? 0.9 * size : size, color: token("--muted") },
    };
    const margin = {};
    for (const [side, length] of Object.entries(spec.layout.margin)) margin[side] = length * scale;
    return {
      ...spec.layout,
      xaxis: { ...axis, ...spec.layout.xaxis },
      yaxis: { ...axis, separatethousands: spec.layout.yaxis.range.some((end) => Math.abs(end) >= 1e4), ...spec.layout.yaxis },
      margin: { ...margin, pad: 0, autoexpand: false },
      width: box.width,
      height: box.height,
      autosize: false,
      showlegend: false,
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      font: { family: getComputedStyle(document.body).fontFamily, size, color: token("--ink") },
      hoverlabel: { bgcolor: token("--surface"), bordercolor: line, font: { size: 13, color: token("--ink") } },
    };
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
      const spec = read(source);
      const box = picture.getBoundingClientRect();
      const svg = picture.querySelector("svg");
      const scale = box.width / svg.viewBox.baseVal.width;
      const size = parseFloat(getComputedStyle(svg).fontSize) * scale;
      plot = document.createElement("div");
      plot.className = "plot";
      picture.append(plot);
      const config = { displayModeBar: false, showTips: false };
      await plotly.newPlot(plot, traces(spec.data, scale, size), layout(spec, box, scale, size), config);
      picture.classList.add("is-interactive");
      drawn.set(figure, plot);
      tell(figure, true);
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
    tell(figure, false);
  }

  function redrawAll() {
    for (const [figure, plot] of [...drawn]) {
      if (!plot) continue;
      restore(figure);
      draw(figure);
    }
  }

  function tell(figure, interactive) {
    figure.querySelector(".plot-hint").textContent = interactive ? HINT : "";
    figure.querySelector(".plot-switch").textContent = interactive ? "Esc: picture" : "Explore";
  }

  function title(figure, picture) {
    return picture.dataset.title ?? figure.querySelector(".figure-title").textContent;
  }

  // The way in and back, on the line below the picture; it is there from the start, so that nothing moves.
  function addSwitch(figure, picture) {
    const bar = document.createElement("p");
    const hint = document.createElement("span");
    const button = document.createElement("button");
    bar.className = "plot-bar";
    hint.className = "plot-hint";
    button.className = "plot-switch";
    button.type = "button";
    button.setAttribute("aria-label", "Switch between picture and interactive figure: " + title(figure, picture));
    button.addEventListener("click", () => (drawn.get(figure) ? restore(figure) : draw(figure)));
    bar.append(hint, button);
    picture.after(bar);
    tell(figure, false);
  }

  function watch(figure) {
    const picture = figure.querySelector("[data-picture]");
    if (!picture) return;
    let timer = 0;
    addSwitch(figure, picture);
    picture.tabIndex = 0;
    picture.setAttribute("role", "group");
    picture.setAttribute("aria-label", title(figure, picture) + ", interactive");
    picture.addEventListener("pointerenter", function (event) {
      if (event.pointerType === "touch") return; // a finger that scrolls must not be caught by a plot; a tap draws
      timer = window.setTimeout(() => draw(figure), DWELL_MS);
    });
    picture.addEventListener("pointerleave", () => window.clearTimeout(timer));
    picture.addEventListener("focus", () => draw(figure));
    picture.addEventListener("click", () => draw(figure));
    figure.addEventListener("keydown", function (event) {
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
