// The guided tour: what to try next, and what was done.
import { byId, fill, h, memo } from "./dom.js";

/** `show(step)` goes where a step happens, `press(button)` does what a step's button says. */
export function guide({ show, press, name, me }) {
  let said = "";
  const root = byId("guide");

  const draw = memo((tour, _me, _place, saying) => {
    const isThere = tour.steps.length > 0 || tour.title;
    root.hidden = !isThere;
    byId("guide-toggle").hidden = !isThere;
    const next = tour.steps.findIndex((step) => !step.is_done);
    const done = tour.steps.filter((step) => step.is_done).length;
    fill(
      root,
      h("h2", { id: "guide-title" }, tour.title),
      tour.steps.length
        ? h("p", { class: "quiet" }, `${done} of ${tour.steps.length} done`)
        : null,
      h(
        "ol",
        {},
        tour.steps.map((step, number) => item(step, number === next)),
      ),
      h("p", { role: "status" }, saying),
      tour.links.map((link) =>
        h(
          "p",
          {},
          h("a", { href: link.url, target: "_blank", rel: "noopener noreferrer" }, link.label),
        ),
      ),
    );
  });

  function item(step, isNext) {
    const mark = step.is_done ? "✓" : isNext ? "▸" : "○";
    return h(
      "li",
      { class: step.is_done ? "done" : isNext ? "next" : "later", "aria-current": isNext ? "step" : null },
      h("span", { class: "mark", "aria-hidden": "true" }, mark),
      h("b", {}, step.title, step.is_done ? h("span", { class: "hidden" }, " (done)") : null),
      isNext ? h("p", {}, step.text) : null,
      isNext ? buttons(step) : null,
    );
  }

  function buttons(step) {
    const where = step.typed
      ? `Type it for ${step.person && step.person !== me() ? name(step.person) : "me"}`
      : step.person && step.person !== me()
        ? `Be ${name(step.person)}`
        : "Show me";
    return h(
      "div",
      { class: "actions" },
      step.person || step.place || step.typed
        ? h("button", { type: "button", "data-key": "show", onclick: () => show(step) }, where)
        : null,
      step.button
        ? h(
            "button",
            {
              type: "button",
              class: "danger",
              "data-key": step.button.id,
              onclick: async (event) => {
                event.currentTarget.setAttribute("aria-busy", "true");
                const done = await press(step.button.id);
                said = done.error ?? done.said;
                if (last) draw(...last, said);
              },
            },
            step.button.label,
          )
        : null,
    );
  }

  let last = null;
  return (tour, me, place) => {
    last = [tour, me, place];
    draw(tour, me, place, said);
  };
}
