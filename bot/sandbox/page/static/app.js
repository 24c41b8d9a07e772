// The page: keeps what the workspace sent, draws it, and passes on what somebody does.
import { blocks, entered } from "./blocks.js";
import { composer } from "./composer.js";
import { byId, fill, h, memo, swap } from "./dom.js";
import { guide } from "./guide.js";
import { modal } from "./modal.js";
import { spans } from "./spans.js";
import { be, connect, perform } from "./wire.js";

const HOME = "home";
const state = {
  around: null,
  messages: new Map(),
  place: null, // a channel's id, or "home"
  thread: null, // {channel, ts}
  drafts: new Map(),
};

// --- what comes in ----------------------------------------------------------------------------

function onFrame(frame) {
  if (frame.person !== undefined) {
    state.around = null;
    state.messages.clear();
    return;
  }
  for (const message of frame.put ?? []) state.messages.set(keyOf(message), message);
  for (const key of frame.gone ?? []) state.messages.delete(key);
  if (frame.around) state.around = frame.around;
  draw();
}

const keyOf = (message) => `${message.channel} ${message.ts}`;

function onLink(isThere) {
  const link = byId("link");
  link.hidden = isThere;
  link.textContent = isThere ? "" : "The workspace does not answer. Was it stopped? Trying again…";
}

// --- what is where ----------------------------------------------------------------------------

const me = () => state.around.people.find((person) => person.id === state.around.me);
const channelOf = (id) => state.around.channels.find((channel) => channel.id === id);
const direct = () => state.around.channels.find((channel) => channel.is_direct);

function inPlace(id) {
  return [...state.messages.values()]
    .filter((message) => message.channel === id)
    .sort((one, other) => (one.ts < other.ts ? -1 : 1));
}

function replies(channel, ts) {
  return inPlace(channel).filter((message) => message.thread === ts);
}

function go(place) {
  state.drafts.set(state.place, byId("typed").value);
  state.place = place;
  state.thread = null;
  byId("typed").value = state.drafts.get(place) ?? "";
  byId("composer-error").textContent = "";
  document.body.classList.remove("places-open");
  byId("places-toggle").setAttribute("aria-expanded", "false");
  if (place === HOME) perform({ do: "open", tab: "home" });
  else if (channelOf(place)?.is_direct) perform({ do: "open", tab: "messages" });
  draw();
  toBottom();
}

function become(handle) {
  if (me().handle === handle) return;
  state.thread = null;
  byId("composer-error").textContent = "";
  localStorage.setItem("person", handle);
  be(handle);
}

// --- drawing ----------------------------------------------------------------------------------

function draw() {
  const { around } = state;
  if (!around) return;
  const isDirectGone = state.place === "direct" || (state.place && !channelOf(state.place));
  if (state.place !== HOME && isDirectGone) {
    // Another person has another direct message with the app.
    state.place = state.place.startsWith("D") && direct() ? direct().id : null;
  }
  state.place ??= around.channels.find((channel) => !channel.is_direct)?.id ?? HOME;
  document.title = `${title(state.place)} – ${around.workspace}`;
  byId("workspace").textContent = around.workspace;
  drawPeople(around.people, around.me);
  drawPlaces(around.channels, state.place, around.has_home, around.app.name, around.is_connected);
  drawPlace(around, state.place);
  drawLog();
  drawHome(around.home, state.place);
  drawThread();
  drawModal(around.modal);
  drawGuide(around.guide, around.me, state.place);
  drawComposer(around.commands);
  markRead();
}

function title(place) {
  if (place === HOME || channelOf(place)?.is_direct) return state.around.app.name;
  return `#${channelOf(place)?.name ?? ""}`;
}

const initials = (name) => name.split(/\s+/).map((part) => part[0] ?? "").join("").slice(0, 2);

const drawPeople = memo((people, current) => {
  fill(
    byId("people"),
    people.map((person) =>
      h(
        "button",
        {
          type: "button",
          class: "person",
          "data-key": person.handle,
          "aria-pressed": String(person.id === current),
          title: person.title ? `${person.name}, ${person.title}` : person.name,
          onclick: () => become(person.handle),
        },
        avatar(person.name, person.handle),
        h(
          "span",
          { class: "who" },
          h("b", {}, person.name),
          h("small", {}, person.is_gone ? "deactivated" : person.title),
        ),
        badge(person.waiting, "unread direct messages"),
      ),
    ),
  );
});

function avatar(name, handle) {
  const hue = [...handle].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 12, 7);
  return h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, initials(name));
}

function badge(count, of) {
  if (!count) return null;
  return h("span", { class: "badge" }, String(count), h("span", { class: "hidden" }, ` ${of}`));
}

const drawPlaces = memo((channels, place, hasHome, app, isConnected) => {
  const link = (id, label, mark, unread, pings) =>
    h(
      "button",
      {
        type: "button",
        class: `place ${unread ? "unread" : ""}`,
        "data-key": id,
        "aria-current": id === place ? "page" : null,
        onclick: () => go(id),
      },
      h("span", { class: "mark", "aria-hidden": "true" }, mark),
      label,
      badge(pings, "for you"),
      unread && !pings ? h("span", { class: "hidden" }, " unread") : null,
    );
  const rooms = channels.filter((channel) => !channel.is_direct);
  const messages = channels.find((channel) => channel.is_direct);
  fill(
    byId("places"),
    h("h2", {}, "Channels"),
    rooms.map((room) =>
      link(room.id, room.name, room.is_private ? "🔒" : "#", room.unread, room.pings),
    ),
    h("h2", {}, "Apps"),
    hasHome ? link(HOME, `${app} – Home`, "⌂", 0, 0) : null,
    messages
      ? link(messages.id, `${app} – Messages`, "✉", messages.unread, messages.pings)
      : h("p", { class: "quiet" }, `No messages from ${app} yet`),
    isConnected ? null : h("p", { class: "quiet", role: "status" }, `${app} is not connected now`),
  );
});

const drawPlace = memo((around, place) => {
  const channel = channelOf(place);
  byId("place-title").textContent = title(place);
  const tabs = around.has_home && (place === HOME || channel?.is_direct);
  byId("tabs").hidden = !tabs;
  if (tabs) {
    const tab = (id, label) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          "data-key": `tab-${label}`,
          "aria-selected": String(place === id),
          onclick: () => go(id),
        },
        label,
      );
    fill(byId("tabs"), tab(HOME, "Home"), direct() ? tab(direct().id, "Messages") : null);
  }
  const about = channel?.is_archived
    ? "This channel is archived."
    : channel && !channel.is_direct
      ? `${channel.members} members`
      : "";
  byId("place-about").textContent = about;
  byId("log").hidden = byId("composer").hidden = place === HOME;
  byId("home").hidden = place !== HOME;
  byId("typed").placeholder =
    place === HOME ? "" : `Message ${title(place)}, or type / for commands`;
});

// Messages are kept as elements by key: only what changed is drawn again.
const drawn = new Map();

function messageElement(message, inThread) {
  const key = `${keyOf(message)} ${inThread}`;
  const answers = inThread ? [] : replies(message.channel, message.ts);
  const now = JSON.stringify([message, answers.length, state.around.me]);
  const known = drawn.get(key);
  if (known?.now === now) return known.element;
  const element = makeMessage(message, inThread, answers.length);
  drawn.set(key, { now, element });
  if (known?.element.isConnected) swap(known.element, element);
  return element;
}

function makeMessage(message, inThread, answers) {
  const surface = {
    values: {},
    people: () => state.around.people,
    act: (element, answer) =>
      report(perform({ do: "click", message: keyOf(message), element, answer })),
  };
  const id = `m${message.ts.replace(".", "-")}`;
  return h(
    "article",
    {
      class: `message ${message.only_you ? "only-you" : ""}`,
      "aria-labelledby": `${id}-by${inThread}`,
      "data-ts": message.ts,
    },
    avatar(message.name, message.is_app ? "app" : message.name),
    h(
      "div",
      { class: "body" },
      h(
        "p",
        { class: "by", id: `${id}-by${inThread}` },
        h("b", {}, message.name),
        message.is_app ? h("span", { class: "tag" }, "APP") : null,
        h("time", {}, message.clock),
        message.only_you ? h("span", { class: "quiet" }, "Only visible to you") : null,
        message.only_you
          ? h(
              "button",
              {
                type: "button",
                class: "bare link",
                onclick: () => perform({ do: "dismiss", message: keyOf(message) }),
              },
              "Dismiss",
            )
          : null,
      ),
      message.blocks.length
        ? blocks(message.blocks, surface)
        : h("p", { class: "text" }, spans(message.text)),
      answers
        ? h(
            "button",
            {
              type: "button",
              class: "bare link replies",
              "data-key": "replies",
              onclick: () => openThread(message),
            },
            answers === 1 ? "1 reply" : `${answers} replies`,
          )
        : null,
      !inThread && !answers && !message.only_you
        ? h(
            "button",
            { type: "button", class: "bare link reply", onclick: () => openThread(message) },
            "Reply in thread",
          )
        : null,
    ),
  );
}

function drawLog() {
  if (state.place === HOME) return;
  const log = byId("log");
  const wasAtBottom = isAtBottom(log);
  const shown = [];
  let day = "";
  for (const message of inPlace(state.place)) {
    if (message.thread) continue;
    if (message.day !== day) {
      day = message.day;
      shown.push(dayMark(day));
    }
    shown.push(messageElement(message, false));
  }
  if (!shown.length) shown.push(h("p", { class: "quiet empty" }, "Nothing was said here yet."));
  reconcile(log, shown);
  if (wasAtBottom) toBottom();
  else byId("newer").hidden = isAtBottom(log);
}

const days = new Map();

function dayMark(day) {
  if (!days.has(day)) {
    days.set(day, h("p", { class: "day", role: "separator" }, h("span", {}, day)));
  }
  return days.get(day);
}

/** Have exactly these elements, in this order; those that stay are not touched. */
function reconcile(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((element, number) => {
    const there = parent.children[number];
    if (there !== element) parent.insertBefore(element, there ?? null);
  });
}

const isAtBottom = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 80;

function toBottom() {
  const log = byId("log");
  log.scrollTop = log.scrollHeight;
  byId("newer").hidden = true;
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
    people: () => state.around.people,
    act: (element, answer) =>
      report(perform({ do: "click", view: home.id, element, answer, answers: entered(root) })),
  };
  fill(root, blocks(home.blocks, surface));
});

// --- threads ----------------------------------------------------------------------------------

function openThread(message) {
  state.thread = { channel: message.channel, ts: message.ts };
  draw();
  byId("thread-typed").focus();
}

function closeThread() {
  state.thread = null;
  draw();
}

function drawThread() {
  const aside = byId("thread");
  const parent = state.thread && state.messages.get(`${state.thread.channel} ${state.thread.ts}`);
  aside.hidden = !parent;
  document.body.classList.toggle("thread-open", Boolean(parent));
  if (!parent) return;
  const log = byId("thread-log");
  const wasAtBottom = isAtBottom(log);
  const shown = [parent, ...replies(parent.channel, parent.ts)];
  reconcile(log, shown.map((message) => messageElement(message, true)));
  if (wasAtBottom) log.scrollTop = log.scrollHeight;
}

// --- the rest ---------------------------------------------------------------------------------

const drawModal = modal(report, () => state.around.people);
const drawComposer = composer({
  send: (text) => perform({ do: "type", where: state.place, text }),
});
const drawGuide = guide({
  press: (button) => perform({ do: "press", button }),
  show: (step) => {
    if (step.person) become(step.person);
    const wanted = step.place;
    const there = () => {
      if (!state.around || (step.person && me().handle !== step.person)) {
        setTimeout(there, 50);
        return;
      }
      const app = state.around.app.handle;
      const room = state.around.channels.find((channel) =>
        wanted === `@${app}` ? channel.is_direct : channel.name === wanted.replace("#", ""),
      );
      if (wanted === HOME) go(HOME);
      else if (wanted && room) go(room.id);
      if (step.typed) {
        byId("typed").value = step.typed;
        byId("typed").dispatchEvent(new Event("input"));
      }
      if (state.place !== HOME) byId("typed").focus();
    };
    there();
  },
  name: (handle) => state.around.people.find((person) => person.handle === handle)?.name ?? handle,
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

byId("newer").addEventListener("click", toBottom);
byId("log").addEventListener("scroll", () => {
  if (isAtBottom(byId("log"))) byId("newer").hidden = true;
});
byId("thread-close").addEventListener("click", closeThread);
byId("thread-composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("thread-typed");
  const text = field.value;
  const { channel, ts } = state.thread;
  const done = await perform({ do: "type", where: channel, text, thread: `${channel} ${ts}` });
  byId("thread-error").textContent = done.error ?? "";
  if (!done.error) field.value = "";
});
byId("thread-typed").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    byId("thread-composer").requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (state.thread) closeThread();
  else toggle("places", false);
});
document.addEventListener("visibilitychange", () => state.around && markRead());

function toggle(what, wanted) {
  const isOpen = document.body.classList.toggle(`${what}-open`, wanted);
  byId(`${what}-toggle`).setAttribute("aria-expanded", String(isOpen));
  if (what === "guide") localStorage.setItem("guide", isOpen ? "open" : "closed");
}

byId("places-toggle").addEventListener("click", () => toggle("places"));
byId("guide-toggle").addEventListener("click", () => toggle("guide"));
toggle("guide", localStorage.getItem("guide") !== "closed");

connect(onFrame, onLink, () => {
  const person = localStorage.getItem("person");
  if (person) be(person);
});
