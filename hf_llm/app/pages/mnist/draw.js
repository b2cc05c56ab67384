// In gr.HTML's js_on_load: a board to draw on by mouse, finger or keyboard. The picture goes to Python as a PNG.
// The server writes the board's HTML; data-picture is the PNG (base64) that lies on it, white on black where empty.
const SIDE = 140; // pixels of the board, five for each one that the models see
const CELL = SIDE / 28;
const PEN = 12;
const locked = () => (document.documentElement.dataset.locked || "").split(" ").includes("drawing"); // app.js writes it
const MOST_STROKES = 50; // that can be undone
let before = []; // the board before each stroke, as pictures
let from = null; // where the pen is drawing
let pen = { x: 14, y: 14, down: false }; // the keyboard's, in pixels of the model
let waiting = null;

const canvas = () => element.querySelector("canvas");
const paint = () => canvas().getContext("2d", { willReadFrequently: true });

const load = () => {
  before = []; // of another picture
  const board = canvas();
  if (!board) return;
  const context = paint();
  context.fillStyle = "black";
  context.fillRect(0, 0, SIDE, SIDE);
  if (!board.dataset.picture) return;
  const picture = new Image();
  picture.onload = () => {
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, SIDE, SIDE);
  };
  picture.src = "data:image/png;base64," + board.dataset.picture;
};

const stroke = (start, end) => {
  const context = paint();
  const [red] = context.getImageData(0, 0, 1, 1).data; // the paper, by its first pixel
  context.strokeStyle = red > 127 ? "black" : "white";
  context.lineWidth = PEN;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(start.x, start.y);
  context.lineTo(end.x, end.y);
  context.stroke();
};
const remember = () => { before = [...before, paint().getImageData(0, 0, SIDE, SIDE)].slice(-MOST_STROKES); };
const undo = () => {
  const last = before.pop();
  if (!last || locked()) return;
  paint().putImageData(last, 0, 0);
  send();
};
const send = () => trigger("select", { choice: canvas().toDataURL("image/png").split(",")[1] });
const sendSoon = () => { clearTimeout(waiting); waiting = setTimeout(send, 400); };

const position = (event) => {
  const box = canvas().getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
};
element.addEventListener("pointerdown", (event) => {
  if (locked() || event.target !== canvas()) return;
  event.preventDefault();
  canvas().setPointerCapture(event.pointerId);
  canvas().parentElement.focus({ preventScroll: true });
  remember();
  from = position(event);
});
element.addEventListener("pointermove", (event) => {
  if (!from) return;
  const to = position(event);
  stroke(from, to);
  from = to;
});
const lift = () => { if (from) { from = null; send(); } };
element.addEventListener("pointerup", lift);
element.addEventListener("pointercancel", lift);

const MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
element.addEventListener("keydown", (event) => {
  const board = event.target.closest("[data-board]");
  if (board && event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); undo(); return; }
  if (!board || locked() || (event.key !== " " && !MOVES[event.key])) return;
  event.preventDefault();
  const centre = () => ({ x: (pen.x + 0.5) * CELL, y: (pen.y + 0.5) * CELL });
  const start = centre();
  if (event.key === " ") {
    pen.down = !pen.down;
    if (pen.down) remember();
  } else {
    const [right, down] = MOVES[event.key];
    pen = { ...pen, x: Math.min(27, Math.max(0, pen.x + right)), y: Math.min(27, Math.max(0, pen.y + down)) };
  }
  if (pen.down) { stroke(start, centre()); sendSoon(); }
  board.style.setProperty("--x", pen.x);
  board.style.setProperty("--y", pen.y);
  const said = element.querySelector("[data-position]").dataset;
  element.querySelector("[data-position]").textContent =
    said.position.replace("{row}", pen.y).replace("{column}", pen.x) + " " + (pen.down ? said.down : said.up);
});
element.addEventListener("click", (event) => {
  if (event.target.closest("[data-undo]")) undo();
  if (locked() || !event.target.closest("[data-clear]")) return;
  remember();
  canvas().dataset.picture = "";
  paint().fillStyle = "black";
  paint().fillRect(0, 0, SIDE, SIDE);
  send();
});
watch("value", load);
load();
