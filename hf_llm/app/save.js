// Saves a figure as the browser shows it, as SVG or PNG: tables, bars and drawings become rectangles, lines, text and
// pictures at the places that they have, in the colours of the theme. A saved SVG needs no style sheet and no font of ours.
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const MARGIN = 12, SHARPER = 2; // pixels around a figure; of a PNG for each of the screen
  const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "text-anchor",
    "shape-rendering"];
  const make = (name, attributes) => {
    const made = document.createElementNS(NS, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, typeof value === "number" ? +value.toFixed(1) : value));
    return made;
  };
  // color(srgb …), of which the style sheet's mixtures are made, is known to few programs beside browsers
  const plain = (colour) => colour.replace(/color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)[^)]*\)/, (_, ...rgb) =>
    `rgb(${rgb.slice(0, 3).map((part) => Math.round(255 * part)).join(", ")})`);
  const clear = (colour) => /^rgba\(.*, 0\)$|\/ 0\)$/.test(colour);

  function drawn(figure) {
    const origin = figure.getBoundingClientRect();
    const image = make("svg", { xmlns: NS });
    let right = 0, bottom = 0;
    const add = (name, attributes) => image.appendChild(make(name, attributes));
    const place = (box) => {
      const x = box.left - origin.left + MARGIN, y = box.top - origin.top + MARGIN;
      [right, bottom] = [Math.max(right, x + box.width), Math.max(bottom, y + box.height)];
      return { x, y, width: box.width, height: box.height };
    };

    function words(node, style) {
      const range = document.createRange();
      const lines = []; // of one text: where each begins and ends, and its box
      for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const box = range.getBoundingClientRect(), line = lines.at(-1);
        if (line && Math.abs(line.box.top - box.top) < 2) line.end = index + word.length;
        else lines.push({ start: index, end: index + word.length, box });
      }
      const upright = style.writingMode.startsWith("vertical");
      for (const { start, end } of lines) {
        range.setStart(node, start);
        range.setEnd(node, end);
        const { x, y, width, height } = place(range.getBoundingClientRect());
        const font = { fill: plain(style.color), "font-family": style.fontFamily, "font-size": style.fontSize, "font-weight": style.fontWeight };
        const at = upright ? { transform: `translate(${x + 0.79 * width} ${y + height}) rotate(-90)` } : { x, y: y + 0.79 * height };
        add("text", { ...at, ...font }).textContent = node.data.slice(start, end).replace(/\s+/g, " ");
      }
    }

    function copied(svg) {
      const copy = svg.cloneNode(true), copies = copy.querySelectorAll("*");
      svg.querySelectorAll("*").forEach((one, i) => {
        const style = getComputedStyle(one);
        copies[i].removeAttribute("style");
        KEPT.forEach((name) => copies[i].setAttribute(name, plain(style.getPropertyValue(name)).replaceAll('"', "'")));
      });
      copy.querySelectorAll("[data-choose^='off:'], [data-choose^='more:']").forEach((button) => button.remove());
      const box = place(svg.getBoundingClientRect());
      Object.entries(box).forEach(([name, value]) => copy.setAttribute(name, value));
      image.append(copy);
    }

    function element(one) {
      const style = getComputedStyle(one);
      if (one.matches(".saves, details") || style.display === "none" || style.clipPath !== "none") return;
      if (one.matches("svg")) return copied(one);
      const box = place(one.getBoundingClientRect());
      const href = one.matches("img") ? one.src : one.matches("canvas") ? one.toDataURL() : null;
      if (href) return add("image", { ...box, href, preserveAspectRatio: "none", style: "image-rendering: " + style.imageRendering });
      const rx = parseFloat(style.borderRadius) || 0;
      if (!clear(style.backgroundColor)) add("rect", { ...box, rx, fill: plain(style.backgroundColor) });
      if (style.backgroundImage !== "none") add("rect", { ...box, fill: style.getPropertyValue("--line"), "fill-opacity": 0.5 }); // masked
      if (style.outlineStyle === "solid") add("rect", { ...box, fill: "none", stroke: plain(style.outlineColor), "stroke-width": style.outlineWidth });
      if (style.borderBottomStyle === "solid" && parseFloat(style.borderBottomWidth))
        add("rect", { x: box.x, y: box.y + box.height, width: box.width, height: 1, fill: plain(style.borderBottomColor) });
      for (const child of one.childNodes) {
        if (child.nodeType === Node.TEXT_NODE) words(child, style);
        else if (child.nodeType === Node.ELEMENT_NODE) element(child);
      }
    }

    figure.querySelectorAll(".scroll").forEach((region) => { region.scrollLeft = 0; });
    element(figure);
    const [width, height] = [right + MARGIN, bottom + MARGIN].map(Math.ceil);
    Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }).forEach(([name, value]) => image.setAttribute(name, value));
    const paper = getComputedStyle(document.body).getPropertyValue("--paper");
    image.prepend(make("rect", { width, height, fill: paper }));
    return { text: new XMLSerializer().serializeToString(image), width, height };
  }

  function save(url, file) {
    const link = document.createElement("a");
    [link.href, link.download] = [url, file];
    link.click();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-save]");
    const figure = button?.closest(".savable");
    if (!figure) return;
    const said = figure.querySelector("caption, figcaption")?.textContent || figure.querySelector("[aria-label]")?.ariaLabel || "hf_llm";
    const name = said.normalize("NFD").replace(/\p{M}/gu, "").replace(/[^\w]+/g, "-").slice(0, 60).replace(/^-|-$/g, "").toLowerCase();
    const { text, width, height } = drawn(figure);
    const url = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
    if (button.dataset.save === "svg") return save(url, name + ".svg");
    const image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: SHARPER * width, height: SHARPER * height });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      save(canvas.toDataURL("image/png"), name + ".png");
    };
    image.src = url;
  });
})();
