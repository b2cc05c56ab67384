(() => {
  // For a projector: what the page shows, large, without its controls.
  const project = (on) => {
    document.documentElement.toggleAttribute("data-projector", on);
    const url = new URL(location.href);
    if (on) url.searchParams.set("projector", 1); else url.searchParams.delete("projector");
    history.replaceState(null, "", url);
  };
  if (new URLSearchParams(location.search).has("projector")) project(true);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a[data-projector]")) return;
    event.preventDefault();
    project(true);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.documentElement.hasAttribute("data-projector")) project(false);
  });
})();
