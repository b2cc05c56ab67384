// What the pages do without the server: links to share, the language switch, arrow keys in rows and grids.
window.hf_llm = {
  link(names, values) {
    const url = new URL(location.href);
    url.search = "";
    names.forEach((name, i) => {
      if (values[i] !== null && values[i] !== undefined && values[i] !== "") url.searchParams.set(name, values[i]);
    });
    url.searchParams.set("lang", document.documentElement.lang);
    return url.href;
  },
  copy(link) {
    navigator.clipboard?.writeText(link).catch(() => {}); // where the browser allows it; else the reader copies the link
  },
  // What a teacher's link hides is not shown, whatever the page does with it later. Of what it locks the server disables
  // Gradio's own controls; the style sheet takes away the buttons of ours that would set a locked one.
  keep(kept) {
    const { locked, hidden } = JSON.parse(kept || '{"locked": [], "hidden": []}'); // empty: the page could not open
    document.documentElement.dataset.locked = locked.join(" ");
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
};

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
