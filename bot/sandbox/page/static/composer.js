// The message field: sends with Enter, completes commands, shows how each is used.
import { byId, fill, h } from "./dom.js";

/** `send(text)` resolves to `{error}` or to nothing in particular; returns `draw`, which takes the
 * commands, and `write`, which puts a text into the field. */
export function composer({ send }) {
  const field = byId("typed");
  const list = byId("completions");
  let commands = [];
  let offered = [];
  let at = 0;
  const sent = [];
  let recalled = 0;

  function offer() {
    const typed = field.value;
    const isCommand = /^\/\S*$/.test(typed);
    offered = isCommand ? commands.filter((command) => command.name.startsWith(typed)) : [];
    at = Math.min(at, Math.max(offered.length - 1, 0));
    list.hidden = !offered.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    fill(
      list,
      offered.map((command, number) =>
        h(
          "li",
          {
            id: `command-${number}`,
            role: "option",
            "aria-selected": String(number === at),
            onmousedown: (event) => {
              event.preventDefault();
              choose(number);
            },
          },
          h("b", {}, command.name),
          h("span", { class: "usage" }, ` ${command.usage}`),
          h("small", {}, command.about),
        ),
      ),
    );
    if (offered.length) field.setAttribute("aria-activedescendant", `command-${at}`);
    else field.removeAttribute("aria-activedescendant");
    const known = commands.find((command) => typed.startsWith(`${command.name} `));
    const idle = commands.length ? "Type / for commands. Enter sends." : "Enter sends.";
    byId("usage").textContent = known
      ? `${known.name} ${known.usage}   ·   Enter sends`
      : typed
        ? "Enter sends, Shift + Enter begins a new line."
        : idle;
    fit(field);
  }

  function choose(number) {
    const command = offered[number];
    field.value = command.usage ? `${command.name} ` : command.name;
    at = 0;
    offer();
    field.focus();
  }

  async function submit() {
    const text = field.value;
    if (!text.trim()) return;
    field.value = "";
    sent.push(text);
    recalled = sent.length;
    offer();
    byId("composer-error").textContent = "";
    const done = await send(text);
    if (!done.error) return;
    byId("composer-error").textContent = done.error;
    if (!field.value) field.value = text;
  }

  field.addEventListener("input", offer);
  field.addEventListener("blur", () => (list.hidden = true));
  field.addEventListener("keydown", (event) => {
    const isOpen = !list.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      at = (at + step + offered.length) % offered.length;
      offer();
    } else if (isOpen && event.key === "Tab" && !event.shiftKey) {
      choose(at);
    } else if (isOpen && event.key === "Enter" && field.value !== offered[at].name) {
      choose(at);
    } else if (isOpen && event.key === "Escape") {
      list.hidden = true;
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      submit();
    } else if (event.key === "ArrowUp" && !field.value && sent.length) {
      recalled = Math.max(recalled - 1, 0);
      field.value = sent[recalled];
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  return {
    draw: (known) => {
      const isFirst = !commands.length && known.length;
      commands = known;
      if (isFirst) offer();
    },
    write: (text) => {
      field.value = text;
      byId("composer-error").textContent = "";
      offer();
      list.hidden = true;
    },
  };
}

/** The field of a thread. */
export function replyComposer({ send }) {
  const field = byId("thread-typed");
  byId("thread-composer").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value;
    if (!text.trim()) return;
    const done = await send(text);
    byId("thread-error").textContent = done.error ?? "";
    if (!done.error) field.value = "";
    fit(field);
  });
  field.addEventListener("input", () => fit(field));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("thread-composer").requestSubmit();
  });
}

/** As many lines as are written, up to what the style allows. */
function fit(field) {
  field.style.height = "auto";
  if (field.value) field.style.height = `${field.scrollHeight}px`;
}
