(() => {
  // Who types is answered when he pauses: the page learns of a text once, not a letter at a time, each of which is a call.
  const PAUSE = 250; // milliseconds
  let typed = null; // the field whose text the page does not know yet
  const tell = () => {
    if (!typed) return;
    const { field, timer } = typed;
    clearTimeout(timer);
    typed = null;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("input", (event) => {
    if (!event.isTrusted || !event.target.matches("[data-testid=textbox], input[type=number]")) return; // ours, or no text
    event.stopImmediatePropagation();
    if (typed?.field !== event.target) tell();
    clearTimeout(typed?.timer);
    typed = { field: event.target, timer: setTimeout(tell, PAUSE) };
  }, true);
  // before anything that may ask for the text: a click elsewhere, a key that submits, another field
  for (const kind of ["pointerdown", "focusout"]) document.addEventListener(kind, tell, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === "Tab") tell(); }, true);
})();
