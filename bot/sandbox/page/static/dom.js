// Makes elements. Text is always a text node: nothing that a person or MLflow wrote is ever markup.

/** An element with properties, attributes (`role`, `aria-…`, `data-…`), listeners (`onclick`) and
 * children: elements, strings, or null for nothing. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Replace what an element holds, and give the focus back to whatever has the same `data-key`. */
export function fill(element, ...children) {
  const key = focusedKey(element);
  element.replaceChildren(...children.flat().filter((child) => child !== null));
  focusKey(element, key);
}

/** Replace one element by another, in the same way. */
export function swap(old, fresh) {
  const key = focusedKey(old);
  old.replaceWith(fresh);
  focusKey(fresh, key);
}

function focusedKey(element) {
  const active = document.activeElement;
  return active && element.contains(active) ? active.dataset.key : undefined;
}

function focusKey(element, key) {
  if (key === undefined) return;
  const wanted = [...element.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key);
  if (wanted) wanted.focus();
}

/** Draw something again only when what it is drawn from has changed. */
export function memo(draw) {
  let before;
  return (...values) => {
    const now = JSON.stringify(values);
    if (now === before) return;
    before = now;
    draw(...values);
  };
}

let counted = 0;

/** An id that no other element has. */
export const newId = (prefix) => `${prefix}-${++counted}`;
