// A list tells of an `input` whenever it loses the focus, too. A reader who passes through the list of examples keeps what
// is set: an entry is picked where it is clicked, or where the list shows another one than when it got the focus.
(() => {
  const shown = () => document.querySelector(".examples input").value;
  let found = null; // what it showed; null once an entry was picked
  let clicked = false;
  const within = (event) => event.target.closest?.(".examples");
  document.addEventListener("focusin", (event) => { if (within(event)) [found, clicked] = [shown(), false]; });
  document.addEventListener("mousedown", (event) => {
    if (within(event) && event.target.closest("[role=option]")) clicked = true;
  }, true);
  hf_llm.picked = async (value) => {
    await new Promise(requestAnimationFrame); // until then it shows the entry of before
    const picked = found !== null && (clicked || shown() !== found);
    if (picked) found = null;
    return picked ? value : null;
  };
})();
