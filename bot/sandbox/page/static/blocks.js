// Block Kit as elements. What this page does not know is shown as an error, never left out.
import { byId, h, newId } from "./dom.js";
import { text, words } from "./spans.js";

/** Draw blocks. `surface.act(element, block, answer)` is called for what somebody does; `values`
 * hold what stands in inputs; `errors` what is wrong with them, by block id. */
export function blocks(list, surface) {
  return list.map((block) => {
    const draw = BLOCKS[block.type];
    return draw ? draw(block, surface) : notShown("block", block.type);
  });
}

function notShown(what, type) {
  return h(
    "p",
    { class: "not-shown", role: "note" },
    `This page cannot show the ${what} “${type ?? "without a type"}”.`,
  );
}

const BLOCKS = {
  header: (block) => h("h3", { class: "header" }, text(block.text)),
  section: (block, surface) =>
    h(
      "div",
      { class: "section" },
      h(
        "div",
        { class: "body" },
        block.text ? h("p", {}, text(block.text)) : null,
        block.fields
          ? h("div", { class: "fields" }, block.fields.map((field) => h("p", {}, text(field))))
          : null,
      ),
      block.accessory ? element(block.accessory, block, surface) : null,
    ),
  divider: () => h("hr"),
  context: (block, surface) =>
    h(
      "div",
      { class: "context" },
      block.elements.map((part) =>
        part.spans ? h("p", {}, text(part)) : element(part, block, surface),
      ),
    ),
  actions: (block, surface) =>
    h(
      "div",
      { class: "actions", role: "group" },
      block.elements.map((part) => element(part, block, surface)),
    ),
  image: (block) =>
    h(
      "figure",
      {},
      block.title ? h("figcaption", {}, text(block.title)) : null,
      picture(block),
    ),
  input: (block, surface) => input(block, surface),
};

function picture(block) {
  if (!block.source) {
    return h("p", { class: "not-shown" }, `A picture from elsewhere is not loaded: ${block.alt_text}`);
  }
  const shown = h("img", { src: block.source, alt: block.alt_text, loading: "lazy" });
  return h(
    "a",
    { href: block.source, target: "_blank", rel: "noopener noreferrer", title: "Open the picture" },
    shown,
  );
}

function element(part, block, surface) {
  const draw = ELEMENTS[part.type];
  return draw ? draw(part, block, surface) : notShown("element", part.type);
}

const keyOf = (part, block) => `${block.block_id}/${part.action_id}`;

const ELEMENTS = {
  button: (part, block, surface) =>
    h(
      "button",
      {
        type: "button",
        class: `act ${part.style ?? ""}`,
        "data-key": keyOf(part, block),
        "aria-label": part.accessibility_label,
        onclick: (event) => {
          if (part.url) window.open(part.url, "_blank", "noopener,noreferrer");
          act(surface, part, block, null, event.currentTarget);
        },
      },
      text(part.text),
    ),
  overflow: (part, block, surface) => overflow(part, block, surface),
  static_select: (part, block, surface) => select(part, block, surface, part.options),
  users_select: (part, block, surface) =>
    select(
      part,
      block,
      surface,
      surface.people().map((p) => ({ value: p.id, text: { spans: [{ kind: "text", text: p.name }] } })),
    ),
  datepicker: (part, block, surface) =>
    control(part, block, surface, h("input", { type: "date", value: valueOf(part, block, surface) ?? "" })),
  plain_text_input: (part, block, surface) => textInput(part, block, surface),
  checkboxes: (part, block, surface) => choices(part, block, surface, "checkbox"),
  radio_buttons: (part, block, surface) => choices(part, block, surface, "radio"),
  image: (part) => h("img", { class: "small", src: part.source ?? "", alt: part.alt_text }),
};

async function act(surface, part, block, answer, from) {
  if (part.confirm && !(await sure(part.confirm))) return;
  from?.setAttribute("aria-busy", "true");
  try {
    await surface.act(keyOf(part, block), answer);
  } finally {
    from?.removeAttribute("aria-busy");
  }
}

/** The confirmation dialog of an element. */
function sure(confirm) {
  const dialog = byId("sure");
  return new Promise((resolve) => {
    dialog.replaceChildren(
      h("h2", { id: "sure-title" }, text(confirm.title)),
      h("p", {}, text(confirm.text)),
      h(
        "div",
        { class: "foot" },
        h("button", { type: "button", onclick: () => dialog.close("no") }, text(confirm.deny)),
        h(
          "button",
          {
            type: "button",
            class: confirm.style ?? "primary",
            onclick: () => dialog.close("yes"),
          },
          text(confirm.confirm),
        ),
      ),
    );
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "no";
    dialog.showModal();
  });
}

function overflow(part, block, surface) {
  const id = newId("menu");
  const menu = h(
    "div",
    { id, class: "menu", role: "menu", hidden: true },
    part.options.map((option) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          onclick: () => {
            close();
            act(surface, part, block, option.value, opener);
          },
        },
        text(option.text),
      ),
    ),
  );
  const opener = h(
    "button",
    {
      type: "button",
      class: "act",
      "data-key": keyOf(part, block),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-label": "More actions",
      onclick: () => (menu.hidden ? open() : close()),
    },
    "⋯",
  );
  function open() {
    menu.hidden = false;
    const box = menu.getBoundingClientRect();
    menu.classList.toggle("up", box.bottom > window.innerHeight - 80);
    menu.classList.toggle("left", box.right > window.innerWidth - 8);
    opener.setAttribute("aria-expanded", "true");
    menu.firstElementChild.focus();
  }
  function close() {
    menu.hidden = true;
    menu.classList.remove("up", "left");
    opener.setAttribute("aria-expanded", "false");
  }
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length].focus();
    else if (event.key === "Escape") {
      close();
      opener.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const wrap = h("span", { class: "overflow" }, opener, menu);
  wrap.addEventListener("focusout", (event) => {
    if (!wrap.contains(event.relatedTarget)) close();
  });
  return wrap;
}

function valueOf(part, block, surface) {
  const state = surface.values?.[block.block_id]?.[part.action_id];
  if (!state) return undefined;
  if (state.selected_option !== undefined) return state.selected_option?.value;
  if (state.selected_options !== undefined) return state.selected_options.map((o) => o.value);
  return state.value ?? state.selected_user ?? state.selected_date;
}

/** A form control: inside an input block it waits for the submission, elsewhere it acts at once. */
function control(part, block, surface, made) {
  made.dataset.key = keyOf(part, block);
  made.name = keyOf(part, block);
  made.classList.add("control");
  if (block.type !== "input") {
    made.setAttribute("aria-label", words(part.placeholder) || "Choose");
    made.addEventListener("change", () => act(surface, part, block, made.value || null, made));
  }
  return made;
}

function select(part, block, surface, options) {
  const chosen = valueOf(part, block, surface) ?? part.initial_option?.value;
  const hint = words(part.placeholder) || "Choose…";
  const made = h(
    "select",
    {},
    h("option", { value: "", disabled: true, selected: chosen === undefined }, hint),
    options.map((o) => h("option", { value: o.value, selected: o.value === chosen }, words(o.text))),
  );
  return control(part, block, surface, made);
}

function textInput(part, block, surface) {
  const value = valueOf(part, block, surface) ?? "";
  const properties = {
    value,
    placeholder: words(part.placeholder) || undefined,
    rows: part.multiline ? 4 : undefined,
  };
  const made = part.multiline ? h("textarea", properties) : h("input", { type: "text", ...properties });
  return control(part, block, surface, made);
}

function choices(part, block, surface, type) {
  const name = keyOf(part, block);
  const current = valueOf(part, block, surface);
  const chosen = Array.isArray(current) ? current : [current];
  const group = h(
    "span",
    { class: "choices", role: type === "radio" ? "radiogroup" : "group", "data-group": name },
    part.options.map((option, number) =>
      h(
        "label",
        {},
        h("input", {
          type,
          name,
          value: option.value,
          checked: chosen.includes(option.value),
          "data-key": `${name}/${number}`,
        }),
        h("span", {}, text(option.text)),
        option.description ? h("small", {}, text(option.description)) : null,
      ),
    ),
  );
  if (block.type !== "input") {
    group.addEventListener("change", () => {
      const ticked = [...group.querySelectorAll("input:checked")].map((box) => box.value);
      act(surface, part, block, type === "radio" ? ticked[0] : ticked, group);
    });
  }
  return group;
}

function input(block, surface) {
  const id = newId("input");
  const made = element(block.element, block, surface);
  const isGroup = made.classList.contains("choices");
  const error = surface.errors?.[block.block_id];
  const hint = block.hint ? h("small", { id: `${id}-hint` }, text(block.hint)) : null;
  const problem = error ? h("p", { id: `${id}-error`, class: "error", role: "alert" }, error) : null;
  const described = [hint?.id, problem?.id].filter(Boolean).join(" ");
  made.id = id;
  if (described) made.setAttribute("aria-describedby", described);
  if (error) made.setAttribute("aria-invalid", "true");
  const label = h(
    isGroup ? "span" : "label",
    isGroup ? { id: `${id}-label`, class: "label" } : { htmlFor: id, class: "label" },
    text(block.label),
    block.optional ? h("small", {}, " (optional)") : null,
  );
  if (isGroup) made.setAttribute("aria-labelledby", label.id);
  return h("div", { class: "input" }, label, made, hint, problem);
}

/** What stands in the inputs of a form now, by "block/action". */
export function entered(root) {
  const answers = {};
  for (const control of root.querySelectorAll(".control")) {
    answers[control.name] = control.value || null;
  }
  for (const group of root.querySelectorAll(".choices")) {
    const ticked = [...group.querySelectorAll("input:checked")].map((box) => box.value);
    const isRadio = group.getAttribute("role") === "radiogroup";
    answers[group.dataset.group] = isRadio ? (ticked[0] ?? null) : ticked;
  }
  return answers;
}

/** Put back what was entered before a form was drawn again. */
export function restore(root, answers) {
  for (const control of root.querySelectorAll(".control")) {
    const value = answers[control.name];
    if (typeof value !== "string") continue;
    if (control.tagName === "SELECT" && ![...control.options].some((o) => o.value === value)) continue;
    control.value = value;
  }
  for (const group of root.querySelectorAll(".choices")) {
    const value = answers[group.dataset.group];
    if (value === undefined || value === null) continue;
    const wanted = Array.isArray(value) ? value : [value];
    for (const box of group.querySelectorAll("input")) box.checked = wanted.includes(box.value);
  }
}
