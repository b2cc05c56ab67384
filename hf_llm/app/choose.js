// In a view's js_on_load: a click on a [data-choose] tells Python, and the focus stays where it was after a redraw.
hf_llm.choices = (element, trigger, watch) => {
  element.dataset.view = ""; // draw.js draws here
  element.pressed = []; // what was clicked, for it to take up
  let focused = null;
  element.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-choose]");
    if (!pressed) return;
    focused = pressed.dataset.choose;
    if (element.closest("[class*='drawn-']")) element.pressed.push(focused);
    trigger("select", { choice: focused });
  });
  element.addEventListener("focusin", (event) => { focused = event.target.dataset.choose ?? null; });
  // What was unfolded stays so when new values are drawn, and a reader in there keeps the focus.
  // In a lesson one view shows all steps: what was unfolded in one says nothing about the others.
  const open = new Set();
  const key = (number) => `${new URLSearchParams(location.search).get("step")} ${number}`;
  let folded = -1; // number of the summary that has the focus
  const all = (selector) => [...element.querySelectorAll(selector)];
  element.addEventListener("toggle", (event) => {
    const number = all("details").indexOf(event.target);
    if (number >= 0) open[event.target.open ? "add" : "delete"](key(number));
  }, true);
  element.addEventListener("focusin", (event) => { folded = all("summary").indexOf(event.target); });
  watch("value", () => element.dispatchEvent(new CustomEvent("drawn")));
  element.addEventListener("drawn", () => {
    all("details").forEach((each, number) => { each.open ||= open.has(key(number)); });
    if (folded >= 0 && document.activeElement === document.body) all("summary")[folded]?.focus();
    requestAnimationFrame(() => { // once all views are drawn: what is asked here is a layout
      if (focused === null || !(document.activeElement === document.body || element.contains(document.activeElement))) return;
      const same = all(`[data-choose="${CSS.escape(focused)}"]`);
      same.find((one) => one.getClientRects().length)?.focus(); // a picture has a second form that is not shown
    });
  });
};
