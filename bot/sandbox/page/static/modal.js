// A modal as a dialog: drawn again in place, with what was entered kept.
import { blocks, entered, restore } from "./blocks.js";
import { byId, h, newId } from "./dom.js";
import { perform } from "./wire.js";

/** `report` shows an error of a gesture; `people` lists who can be chosen. Returns what draws. */
export function modal(report, people) {
  const dialog = byId("modal");
  let shown = null; // the view that is on the screen
  let errors = {};
  let opener = null;

  function draw(view) {
    if (!view) {
      if (shown) close();
      return;
    }
    if (shown && view.id === shown.id && view.hash === shown.hash) return;
    const isSame = shown?.id === view.id;
    if (!isSame) errors = {};
    put(view, isSame ? entered(dialog) : null);
  }

  function put(view, kept) {
    if (!shown) opener = document.activeElement;
    shown = view;
    const surface = {
      values: view.values,
      errors,
      people,
      act: (element, answer) =>
        report(
          perform({ do: "click", view: view.id, element, answer, answers: entered(dialog) }),
        ),
    };
    const formId = newId("form");
    const focused = dialog.contains(document.activeElement) && document.activeElement.dataset.key;
    dialog.replaceChildren(
      h(
        "div",
        { class: "head" },
        h("h2", { id: "modal-title" }, view.title),
        h(
          "button",
          { type: "button", class: "bare", "aria-label": "Close", onclick: () => leave(view) },
          "✕",
        ),
      ),
      h(
        "form",
        { id: formId, novalidate: true, onsubmit: (event) => submit(event, view) },
        blocks(view.blocks, surface),
      ),
      h(
        "div",
        { class: "foot" },
        h("button", { type: "button", onclick: () => leave(view) }, view.close),
        view.submit
          ? h("button", { type: "submit", class: "primary", "data-key": "submit" }, view.submit)
          : null,
      ),
    );
    dialog.querySelector('[type="submit"]')?.setAttribute("form", formId);
    if (kept) restore(dialog, kept);
    if (!dialog.open) dialog.showModal();
    const wrong = Object.keys(errors).length ? dialog.querySelector("[aria-invalid]") : null;
    const wanted = [...dialog.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused);
    const first = dialog.querySelector("[aria-invalid], .control, .choices input");
    const amiss = wrong?.querySelector("input") ?? wrong; // a group is not focused, its boxes are
    (amiss ?? wanted ?? first ?? dialog.querySelector("button.primary"))?.focus();
  }

  async function submit(event, view) {
    event.preventDefault();
    const button = dialog.querySelector('[type="submit"]');
    button?.setAttribute("aria-busy", "true");
    const answers = entered(dialog);
    const done = await report(perform({ do: "submit", view: view.id, answers }));
    button?.removeAttribute("aria-busy");
    errors = done.errors ?? {};
    if (Object.keys(errors).length && shown?.id === view.id) put(shown, answers);
  }

  function leave(view) {
    perform({ do: "close", view: view.id });
    close();
  }

  function close() {
    shown = null;
    errors = {};
    if (dialog.open) dialog.close();
    opener?.focus?.();
  }

  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (shown) leave(shown);
  });
  return draw;
}
