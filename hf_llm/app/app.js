// What the pages do without the server: links to share, an address that keeps up, the language switch, keys.
window.hf_llm = {
  // The step of the lesson that this tab is at: the way back to the lesson leads there.
  get lesson() { try { return sessionStorage.getItem("hf_llm_step"); } catch { return null; } },
  set lesson(step) { try { sessionStorage.setItem("hf_llm_step", step); } catch { /* not kept */ } },
  usual: null, // {setting: what it opened with}; known once the page has read its address
  // Return the settings that are in force, as [name, value]. A setting, [usual value, needs], is left out at its usual
  // value, and where it has no effect: `needs` is {name of another: the values that it must have}.
  inForce(settings, values, usual) {
    const now = Object.fromEntries(Object.keys(settings).map((name, i) => [name, values[i]]));
    const counts = ([name, [built, needs]]) =>
      ![null, undefined, "", usual[name] ?? built].includes(now[name]) &&
      Object.entries(needs).every(([other, wanted]) => wanted.includes(now[other]));
    return Object.entries(settings).filter(counts).map(([name]) => [name, now[name]]);
  },
  link(settings, values) {
    const url = new URL(location.href);
    url.search = "";
    for (const [name, value] of this.inForce(settings, values, {})) url.searchParams.set(name, value);
    url.searchParams.set("lang", document.documentElement.lang);
    return url.href;
  },
  // The address holds what was set, so that Back, a reload, the other language and the next page keep it. A teacher's link
  // holds only as it is. Each step of a lesson is one of the browser's history.
  address(settings, values) {
    const url = new URL(location.href), step = url.searchParams.get("step");
    if (!this.usual || url.searchParams.has("sign")) return;
    Object.keys(settings).forEach((name) => url.searchParams.delete(name));
    if (document.querySelector("ol.path")) this.lesson = values[Object.keys(settings).indexOf("step")];
    for (const [name, value] of this.inForce(settings, values, this.usual)) url.searchParams.set(name, value);
    clearTimeout(this.waits);
    this.next = url.href === location.href ? null : url;
    if (url.searchParams.get("step") !== step) this.arrive("pushState");
    else this.waits = setTimeout(() => this.arrive(), 200); // browsers refuse one at each letter
  },
  arrive(how = "replaceState") {
    if (this.next) history[how](null, "", this.next);
    this.next = null;
  },
  // What was just shown is brought into view where it is not.
  show(selector) {
    const shown = document.querySelector(selector), top = shown?.getBoundingClientRect().top;
    if (!shown || (top >= 0 && top < innerHeight / 2)) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    shown.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  },
  copy(link) {
    navigator.clipboard?.writeText(link).catch(() => {}); // where the browser allows it; else the reader copies the link
  },
  // What a teacher's link hides is not shown, whatever the page does with it later. Of what it locks the server disables
  // Gradio's own controls; the style sheet takes away the buttons of ours that would set a locked one.
  keep(kept) {
    const { locked, hidden, usual } = JSON.parse(kept || '{"locked": [], "hidden": [], "usual": {}}'); // "": it could not open
    this.usual = usual;
    document.documentElement.dataset.locked = locked.join(" ");
    document.documentElement.toggleAttribute("data-class", locked.length + hidden.length > 0);
    if (!hidden.length) return;
    const style = document.createElement("style");
    style.textContent = hidden.map((name) => `.setting-${CSS.escape(name)}`).join(", ") + " { display: none !important; }";
    document.head.append(style);
  },
  // A prediction is kept in this browser; the server learns only which question has one.
  predicted(question, choice, reason) {
    try { localStorage.setItem("hf_llm_prediction_" + question, JSON.stringify([choice, reason])); } catch { /* not kept */ }
    return choice || (reason || "").trim() ? question : "";
  },
  prediction(question) {
    try { return JSON.parse(localStorage.getItem("hf_llm_prediction_" + question)) || [null, ""]; } catch { return [null, ""]; }
  },
  // Where a class is counted, the server learns which option was chosen, once in each browser; else it is not asked for.
  counted(question, choice) {
    const key = "hf_llm_counted_" + question;
    try {
      if (!choice || localStorage.getItem(key)) return "";
      localStorage.setItem(key, "yes");
    } catch { /* a browser that keeps nothing is counted each time */ }
    return choice;
  },
};

// The sentence and the model go along to the next page, unless the link there names others.
document.addEventListener("click", (event) => {
  hf_llm.arrive();
  const link = event.target.closest("a[href^='./'], a[data-inner]");
  if (!link) return;
  link.dataset.inner ??= link.getAttribute("href");
  const here = new URL(location.href), there = new URL(link.dataset.inner, here);
  for (const name of ["text", "model", "lang"]) {
    const value = here.searchParams.get(name);
    if (value && !there.searchParams.has(name)) there.searchParams.set(name, value);
  }
  if (link.dataset.inner === "./" && hf_llm.lesson) there.searchParams.set("step", hf_llm.lesson);
  link.href = there;
});

// Back and Forward in a lesson: the address has changed, and the step follows.
addEventListener("popstate", () => {
  const step = new URLSearchParams(location.search).get("step");
  const steps = [...document.querySelectorAll("ol.path [data-choose]")];
  (steps.find((button) => button.dataset.choose === step) ?? steps[0])?.click();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-language]");
  if (!link) return;
  event.preventDefault(); // keep what else stands in the URL
  const url = new URL(location.href);
  url.searchParams.set("lang", link.hreflang);
  location.assign(url);
});

// One stop for the Tab key in each row of tokens or grid of cells; the arrows move inside it.
document.addEventListener("keydown", (event) => {
  const group = event.target.closest?.("[data-arrows]");
  const button = event.target.closest?.("[data-choose]");
  if (!group || !button) return;
  const all = [...group.querySelectorAll("[data-choose]")];
  const row = button.closest("tr");
  const width = row ? row.querySelectorAll("td").length : 1;
  const here = all.indexOf(button);
  const column = row ? [...row.children].indexOf(button.parentElement) : 0;
  const vertical = (step) => {
    const next = step > 0 ? row?.nextElementSibling : row?.previousElementSibling;
    return next?.children[column]?.querySelector("[data-choose]");
  };
  const target = {
    ArrowRight: () => all[here + 1], ArrowLeft: () => all[here - 1], Home: () => all[0], End: () => all.at(-1),
    ArrowDown: () => (row ? vertical(1) : all[here + width]), ArrowUp: () => (row ? vertical(-1) : all[here - width]),
  }[event.key]?.();
  if (target) { event.preventDefault(); target.focus(); }
});

const oneTabStop = (group) => {
  const all = group.querySelectorAll("[data-choose]");
  const stop = group.querySelector('[aria-pressed="true"]') || all[0];
  all.forEach((button) => { button.tabIndex = button === stop ? 0 : -1; });
};
// On a telephone the links to the pages are a row that scrolls; it begins where the reader is.
const inView = new ResizeObserver((lists) => lists.forEach(({ target: list }) => {
  const link = list.querySelector("[aria-current]");
  if (link) list.scrollLeft = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
}));
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes)
      if (node.querySelectorAll) {
        if (node.matches("[data-arrows]")) oneTabStop(node);
        node.querySelectorAll(".navigation ul").forEach((list) => inView.observe(list));
        node.querySelectorAll("[data-arrows]").forEach(oneTabStop);
      }
}).observe(document, { childList: true, subtree: true });
document.addEventListener("focusin", (event) => {
  const group = event.target.closest?.("[data-arrows]");
  if (!group || !event.target.matches("[data-choose]")) return;
  group.querySelectorAll('[data-choose][tabindex="0"]').forEach((button) => { button.tabIndex = -1; });
  event.target.tabIndex = 0;
});
