// The page: keeps what the workspace sent, draws it, and passes on what somebody does.
import { blocks, entered } from "./blocks.js";
import { composer, replyComposer } from "./composer.js";
import { byId, fill, h, memo } from "./dom.js";
import { guide } from "./guide.js";
import { log, toBottom } from "./log.js";
import { modal } from "./modal.js";
import { places } from "./places.js";
import { HOME, channelOf, direct, inPlace, keyOf, me, people, state } from "./state.js";
import { be, connect, perform } from "./wire.js";

// --- what comes in ----------------------------------------------------------------------------

function onFrame(frame) {
  if (frame.person !== undefined) {
    state.around = null;
    state.messages.clear();
    toBottom();
    return;
  }
  for (const message of frame.put ?? []) state.messages.set(keyOf(message), message);
  for (const key of frame.gone ?? []) state.messages.delete(key);
  if (frame.around) state.around = frame.around;
  draw();
}

function onLink(isThere) {
  const link = byId("link");
  link.hidden = isThere;
  link.textContent = isThere ? "" : "The workspace does not answer. Was it stopped? Trying again…";
}

// --- where one is -----------------------------------------------------------------------------

function go(place) {
  state.drafts.set(state.place, byId("typed").value);
  state.place = place;
  state.thread = null;
  writeFor(state.drafts.get(place) ?? "");
  toggle("places", false);
  if (place === HOME) perform({ do: "open", tab: "home" });
  else if (channelOf(place)?.is_direct) perform({ do: "open", tab: "messages" });
  draw();
  toBottom();
}

function become(handle) {
  if (me().handle === handle) return;
  state.thread = null;
  localStorage.setItem("person", handle);
  be(handle);
  if (state.place === HOME) perform({ do: "open", tab: "home" });
}

/** Go where a step happens, and write what is to be typed there; it is not sent. */
function show(step) {
  if (step.person) become(step.person);
  const there = () => {
    if (!state.around || (step.person && me().handle !== step.person)) {
      setTimeout(there, 50);
      return;
    }
    const { app, channels } = state.around;
    const room = channels.find((channel) =>
      step.place === `@${app.handle}`
        ? channel.is_direct
        : channel.name === step.place.replace("#", ""),
    );
    if (step.place === HOME) go(HOME);
    else if (step.place && room) go(room.id);
    else draw();
    if (step.typed) writeFor(step.typed);
    if (state.place !== HOME) byId("typed").focus();
  };
  there();
}

// --- drawing ----------------------------------------------------------------------------------

function draw() {
  const { around } = state;
  if (!around) return;
  if (state.place !== HOME && state.place && !channelOf(state.place)) {
    // Another person has another direct message with the app.
    state.place = state.place.startsWith("D") && direct() ? direct().id : null;
  }
  state.place ??= around.channels.find((channel) => !channel.is_direct)?.id ?? HOME;
  drawPlaces(around, state.place);
  if (state.place !== HOME) drawLog(state.place);
  drawHome(around.home, state.place);
  const parent = state.thread && state.messages.get(keyOf(state.thread));
  byId("thread").hidden = !parent;
  document.body.classList.toggle("thread-open", Boolean(parent));
  if (parent) drawThread(parent);
  drawModal(around.modal);
  drawGuide(around.guide, around.me, state.place);
  drawComposer(around.commands);
  markRead();
}

const drawHome = memo((home, place) => {
  if (place !== HOME) return;
  const root = byId("home");
  if (!home) {
    fill(root, h("p", { class: "quiet empty" }, "The app has put nothing here yet."));
    return;
  }
  const surface = {
    values: home.values,
    people,
    act: (element, answer) =>
      report(perform({ do: "click", view: home.id, element, answer, answers: entered(root) })),
  };
  fill(root, blocks(home.blocks, surface));
});

const drawPlaces = places({ become, go });
const { drawLog, drawThread } = log({
  click: (message, element, answer) => report(perform({ do: "click", message, element, answer })),
  dismiss: (message) => report(perform({ do: "dismiss", message })),
  open: (message) => {
    state.thread = { channel: message.channel, ts: message.ts };
    draw();
    byId("thread-typed").focus();
  },
});
const drawModal = modal(report, people);
const { draw: drawComposer, write: writeFor } = composer({
  send: (text) => perform({ do: "type", where: state.place, text }),
});
replyComposer({
  send: (text) => {
    const { channel } = state.thread;
    return perform({ do: "type", where: channel, text, thread: keyOf(state.thread) });
  },
});
const drawGuide = guide({
  press: (button) => perform({ do: "press", button }),
  show,
  name: (handle) => people().find((person) => person.handle === handle)?.name ?? handle,
  me: () => me()?.handle,
});

/** Show what Slack would show when something could not be done. */
async function report(doing) {
  const done = await doing;
  if (done.error) say(done.error);
  return done;
}

let saying;

function say(sentence) {
  byId("notice").textContent = sentence;
  clearTimeout(saying);
  saying = setTimeout(() => (byId("notice").textContent = ""), 8000);
}

const read = new Map();

function markRead() {
  if (document.visibilityState !== "visible" || state.place === HOME) return;
  const newest = inPlace(state.place).filter((message) => !message.only_you).at(-1);
  if (!newest) return;
  const key = `${state.around.me} ${state.place}`;
  if ((read.get(key) ?? "") >= newest.ts) return;
  read.set(key, newest.ts);
  perform({ do: "read", where: state.place, upto: newest.ts });
}

// --- the furniture ----------------------------------------------------------------------------

function closeThread() {
  state.thread = null;
  draw();
}

function toggle(what, wanted) {
  const isOpen = document.body.classList.toggle(`${what}-open`, wanted);
  byId(`${what}-toggle`).setAttribute("aria-expanded", String(isOpen));
  if (what === "guide") localStorage.setItem("guide", isOpen ? "open" : "closed");
}

byId("thread-close").addEventListener("click", closeThread);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (state.thread) closeThread();
  else toggle("places", false);
});
document.addEventListener("visibilitychange", () => state.around && markRead());
byId("places-toggle").addEventListener("click", () => toggle("places"));
byId("conversation").addEventListener("pointerdown", () => toggle("places", false));
byId("guide-toggle").addEventListener("click", () => toggle("guide"));
toggle("guide", localStorage.getItem("guide") !== "closed");

connect(onFrame, onLink, () => {
  const person = localStorage.getItem("person");
  if (person) be(person);
});
