// Messages of a conversation and of a thread. They are kept as elements by key: only what changed
// is drawn again.
import { blocks } from "./blocks.js";
import { byId, h, swap } from "./dom.js";
import { avatar } from "./places.js";
import { spans } from "./spans.js";
import { channelOf, inPlace, keyOf, people, replies, state, title } from "./state.js";

const drawn = new Map();
const days = new Map();

const isAtBottom = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 80;

// Whether one reads the newest messages; what is drawn, or how high the room is, changes nothing.
let isFollowing = true;

/** Show the newest message, and follow those that come. */
export function toBottom() {
  const log = byId("log");
  isFollowing = true;
  log.scrollTop = log.scrollHeight;
  byId("newer").hidden = true;
}

byId("newer").addEventListener("click", toBottom);
let height = 0;
byId("log").addEventListener("scroll", () => {
  if (byId("log").clientHeight !== height) return; // the room has changed, not the reader
  isFollowing = isAtBottom(byId("log"));
  if (isFollowing) byId("newer").hidden = true;
});
new ResizeObserver(() => {
  height = byId("log").clientHeight;
  if (isFollowing) toBottom();
}).observe(byId("log"));

/** `click(message, element, answer)`, `dismiss(message)` and `open(message)`, a thread; returns
 * what draws the conversation, and what draws the thread. */
export function log({ click, dismiss, open }) {
  function element(message, inThread) {
    const key = `${keyOf(message)} ${inThread}`;
    const answers = inThread ? [] : replies(message.channel, message.ts);
    const now = JSON.stringify([message, answers.length, state.around.me]);
    const known = drawn.get(key);
    if (known?.now === now) return known.element;
    const fresh = make(message, inThread, answers.length);
    drawn.set(key, { now, element: fresh });
    if (known?.element.isConnected) swap(known.element, fresh);
    return fresh;
  }

  function make(message, inThread, answers) {
    const surface = {
      values: {},
      people,
      act: (part, answer) => click(keyOf(message), part, answer),
    };
    const id = `m${message.ts.replace(".", "-")}-by${inThread ? "-thread" : ""}`;
    return h(
      "article",
      {
        class: `message ${message.only_you ? "only-you" : ""}`,
        "aria-labelledby": id,
        "data-ts": message.ts,
      },
      avatar(message.name, message.name, message.is_app),
      h(
        "div",
        { class: "body" },
        h(
          "p",
          { class: "by", id },
          h("b", {}, message.name),
          message.is_app ? h("span", { class: "tag" }, "APP") : null,
          h("time", {}, message.clock),
          message.only_you ? h("span", { class: "quiet" }, "Only visible to you") : null,
          message.only_you
            ? small("", "Dismiss", () => dismiss(keyOf(message)))
            : null,
        ),
        message.blocks.length
          ? blocks(message.blocks, surface)
          : h("p", { class: "text" }, spans(message.text)),
        answers
          ? small("replies", answers === 1 ? "1 reply" : `${answers} replies`, () => open(message))
          : null,
        !inThread && !answers && !message.only_you
          ? small("reply", "Reply in thread", () => open(message))
          : null,
      ),
    );
  }

  const small = (name, label, onclick) =>
    h(
      "button",
      { type: "button", class: `bare link ${name}`, "data-key": name || null, onclick },
      label,
    );

  function drawLog(place) {
    const root = byId("log");
    const shown = [start(place)];
    let day = "";
    for (const message of inPlace(place)) {
      if (message.thread) continue;
      if (message.day !== day) {
        day = message.day;
        shown.push(dayMark(place, day));
      }
      shown.push(element(message, false));
    }
    reconcile(root, shown);
    if (isFollowing) toBottom();
    else byId("newer").hidden = isAtBottom(root);
  }

  function drawThread(parent) {
    const root = byId("thread-log");
    const wasAtBottom = isAtBottom(root);
    const shown = [parent, ...replies(parent.channel, parent.ts)];
    reconcile(root, shown.map((message) => element(message, true)));
    if (wasAtBottom) root.scrollTop = root.scrollHeight;
  }

  return { drawLog, drawThread };
}

function start(place) {
  const key = `start ${place} ${title(place)}`;
  if (!days.has(key)) {
    const what = channelOf(place)?.is_direct ? "your messages with " : "";
    days.set(
      key,
      h(
        "div",
        { class: "start" },
        h("h2", {}, title(place)),
        h("p", { class: "quiet" }, `This is where ${what}${title(place)} begins.`),
      ),
    );
  }
  return days.get(key);
}

function dayMark(place, day) {
  const key = `${place} ${day}`;
  if (!days.has(key)) {
    days.set(key, h("p", { class: "day", role: "separator" }, h("span", {}, day)));
  }
  return days.get(key);
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
