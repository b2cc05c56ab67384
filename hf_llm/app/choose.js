// In gr.HTML's js_on_load: a press on a [data-choose] tells Python, and the focus stays where it was after a redraw.
let focused = null;
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-choose]");
  if (pressed) { focused = pressed.dataset.choose; trigger("select", { choice: focused }); }
});
element.addEventListener("focusin", (event) => { focused = event.target.dataset.choose ?? null; });
watch("value", () => {
  if (focused === null || !(document.activeElement === document.body || element.contains(document.activeElement))) return;
  element.querySelector(`[data-choose="${CSS.escape(focused)}"]`)?.focus();
});
