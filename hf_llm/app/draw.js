// Draws a page's views: asks the server for them, puts them into their places, and then tells Gradio which controls were set.
(() => {
  const session = Math.random().toString(36).slice(2);
  const waiting = []; // what is asked for: one request after the other, so that each begins where the one before has led
  let drawn = ""; // the settings that the views show
  let asking = false;
  // {control: [the values that it had, what a drawing has set it to since]}, until Gradio has told of that: a click that
  // comes with the answer to the one before still brings the values of before
  const late = {};

  const set = (before, sets) => {
    for (const [name, to] of Object.entries(sets)) {
      const had = new Set(late[name]?.[0]).add(before[name]);
      had.delete(to);
      late[name] = [had, to];
    }
  };

  const caughtUp = (settings) => {
    for (const [name, [had, to]] of Object.entries(late)) {
      if (had.has(settings[name])) settings[name] = to;
      else delete late[name];
    }
    return settings;
  };

  const place = (view) => document.querySelector(`:is(.drawn-${view}, .drawn-${view} *)[data-view]`);
  // The next click in a view. Gradio tells of each in its turn, but late: there may have been another one already.
  hf_llm.pressed = (view) => place(view).pressed.shift() ?? null;

  const say = (words) => {
    const message = document.createElement("p");
    message.className = "message bad said";
    message.setAttribute("role", "alert");
    message.textContent = words;
    message.addEventListener("click", () => message.remove());
    document.body.append(message);
  };

  const ask = async (asked) => {
    const { settings, where, choice, anew } = asked;
    if (!anew && JSON.stringify(settings) === drawn) return; // a choice has set the control, and drawn it
    if (!anew && waiting.some((later) => later.where === where)) return; // it would be drawn over at once
    const chosen = where && (anew || drawn) ? [where, choice] : null; // what a page opens with, nobody wrote
    const { kept, lang, ...controls } = settings;
    const page = location.pathname.split("/").pop() || "home";
    const body = JSON.stringify({ settings: controls, chosen, kept, lang, session });
    const answer = await fetch(`./draw/${page}`, { method: "POST", headers: { "Content-Type": "application/json" }, body })
      .catch(() => ({ ok: false }));
    document.querySelector("p.said")?.remove();
    const { sets, views, said } = answer.ok ? await answer.json() : { said: hf_llm.unreachable[lang] };
    if (said) { say(said); return; }
    Object.assign(asked.sets, sets);
    set(settings, sets);
    for (const each of [asked, ...waiting]) Object.assign(each.settings, sets);
    drawn = JSON.stringify(settings);
    for (const [name, html] of Object.entries(views)) place(name).innerHTML = html;
    for (const name of Object.keys(views)) place(name).dispatchEvent(new CustomEvent("drawn", { detail: settings }));
    // once it is on the screen; a page that is not shown has no frames
    await new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); setTimeout(done, 200); });
  };

  const next = async () => {
    if (asking || !waiting.length) return;
    asking = true;
    const asked = waiting.shift();
    const slow = setTimeout(() => { document.body.dataset.drawing = ""; }, 600); // what is seen is of before, and pale
    await ask(asked).catch((error) => console.error(error)); // a fault of ours; Gradio would keep it to itself
    asked.done();
    clearTimeout(slow);
    delete document.body.dataset.drawing;
    asking = false;
    next();
  };

  // Draws with these values of these controls. In `where`, one of the page's choices, `choice` was clicked or picked, or is
  // what a control has now. `anew`: even if nothing was set since the last drawing. Returns what Gradio sets the controls
  // to, in their order; those that stay as they are, it skips.
  hf_llm.draw = async (names, values, { where = null, choice = null, anew = false } = {}) => {
    const settings = caughtUp(Object.fromEntries(names.map((name, i) => [name, values[i]]))), sets = {};
    if (!where || choice !== null) // null: a list was passed through
      await new Promise((done) => { waiting.push({ settings, where, choice, anew, sets, done }); next(); });
    return names.slice(0, -2).map((name) => (name in sets ? sets[name] : { __type__: "update" }));
  };
})();
