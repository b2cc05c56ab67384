// After choose.js in the js_on_load of the picture, whose buttons are parts of an SVG: keys, and the flow of one more token.
const calm = matchMedia("(prefers-reduced-motion: reduce)");
element.addEventListener("keydown", (event) => {
  const button = event.target.closest?.("g[data-choose]");
  if (!button || (event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault(); // the page would scroll
  button.dispatchEvent(new MouseEvent("click", { bubbles: true }));
});
let flowsUntil = 0; // what is drawn before then flows through the model once
element.addEventListener("click", (event) => {
  const opens = event.target.closest("g[data-choose]")?.dataset.choose ?? "";
  if (opens.startsWith("more:")) flowsUntil = performance.now() + 5000;
  else if (event.target.closest("svg.narrow") && /^(part|place|step|off):/.test(opens))
    document.querySelector(".beside")?.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth" });
});
watch("value", () => {
  const now = performance.now();
  if (now > flowsUntil) return;
  flowsUntil = Math.min(flowsUntil, now + 600); // the text and the chosen token change one after the other
  element.querySelectorAll("svg[role=group]").forEach((form) => form.classList.add("flows"));
});
