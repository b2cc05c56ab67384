// After hf_llm.choices in the js_on_load of the picture, whose buttons are parts of an SVG: keys, and the flow of one more token.
element.addEventListener("keydown", (event) => {
  const button = event.target.closest?.("g[data-choose]");
  if (!button || (event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault(); // the page would scroll
  button.dispatchEvent(new MouseEvent("click", { bubbles: true }));
});
// Of the parts beside the picture, the one that is looked at is shown.
const show = (part) => document.querySelectorAll(".part").forEach((one) => { one.hidden = !one.matches(`.part-${part}`); });
show(null);
let flowsUntil = 0; // what is drawn before then flows through the model once
element.addEventListener("click", (event) => {
  const opens = event.target.closest("g[data-choose]")?.dataset.choose ?? "";
  if (opens) document.querySelector(".beside")?.toggleAttribute("data-clicked", true); // on a telephone it comes into sight
  if (opens.startsWith("more:")) flowsUntil = performance.now() + 5000;
});
element.addEventListener("drawn", ({ detail: { part } }) => {
  show(part);
  if (performance.now() > flowsUntil) return;
  flowsUntil = 0;
  element.querySelectorAll("svg[role=group]").forEach((form) => {
    form.classList.remove("flows");
    form.getBoundingClientRect(); // the elements are the old ones: without this the animation would not begin anew
    form.classList.add("flows");
  });
});
