// The guided tour: what to try next, and what was done.
import { byId, fill, h, memo } from "./dom.js";

/** `show(step)` goes where a step happens, `press(button)` does what a step's button says. */
export function guide({ show, press, name, me }) {
  let said = "";
  let saidAt = 0; // how many steps were done then
  let last = null;
  const root = byId("guide");

  const draw = memo((tour, _me, _place, saying) => {
    const isThere = tour.steps.length > 0 || Boolean(tour.title);
    root.hidden = !isThere;
    byId("guide-toggle").hidden = !isThere;
    const next = tour.steps.findIndex((step) => !step.is_done);
    fill(
      root,
      head(tour),
      tour.about ? h("p", { class: "about" }, tour.about) : null,
      h(
        "ol",
        { hidden: !tour.steps.length },
        tour.steps.map((step, number) => item(step, number === next)),
      ),
      h("p", { class: "said", role: "status" }, saying),
      tour.links.length
        ? h(
            "p",
            { class: "links" },
            tour.links.map((link) =>
              h("a", { href: link.url, target: "_blank", rel: "noopener noreferrer" }, link.label),
            ),
          )
        : null,
    );
  });

  function head(tour) {
    const done = tour.steps.filter((step) => step.is_done).length;
    const isSetUp = tour.percent === null;
    const count = isSetUp ? `${done} of ${tour.steps.length} done` : `${tour.percent} %`;
    const isCounted = !isSetUp || tour.steps.length > 0;
    return [
      h(
        "div",
        { class: "guide-head" },
        h("h2", { id: "guide-title" }, tour.title),
        isCounted ? h("span", { class: "quiet" }, count) : null,
      ),
      isCounted
        ? h("progress", {
            value: isSetUp ? done : tour.percent,
            max: isSetUp ? tour.steps.length : 100,
            "aria-label": isSetUp ? "Steps done" : "How far the scene is set",
          })
        : null,
    ];
  }

  function item(step, isNext) {
    return h(
      "li",
      {
        class: step.is_done ? "done" : isNext ? "next" : "later",
        "aria-current": isNext ? "step" : null,
      },
      h("span", { class: "mark", "aria-hidden": "true" }, step.is_done ? "✓" : ""),
      h("b", {}, step.title, step.is_done ? h("span", { class: "hidden" }, " (done)") : null),
      isNext ? h("p", {}, step.text) : null,
      isNext && step.typed ? h("pre", {}, step.typed) : null,
      isNext ? buttons(step) : null,
    );
  }

  function where(step) {
    const isSomebodyElse = step.person && step.person !== me();
    if (step.typed) return isSomebodyElse ? `Type it as ${name(step.person)}` : "Type it for me";
    return isSomebodyElse ? `Be ${name(step.person)}` : "Show me";
  }

  function buttons(step) {
    const isSomewhere = step.person || step.place || step.typed;
    return h(
      "div",
      { class: "actions" },
      step.button
        ? h(
            "button",
            {
              type: "button",
              class: step.button.is_danger ? "danger" : "accent",
              "data-key": step.button.id,
              onclick: (event) => pressed(step.button, event.currentTarget),
            },
            step.button.label,
          )
        : null,
      isSomewhere
        ? h(
            "button",
            {
              type: "button",
              class: step.button ? "" : "accent",
              "data-key": "show",
              onclick: () => show(step),
            },
            where(step),
          )
        : null,
    );
  }

  async function pressed(button, from) {
    from.setAttribute("aria-busy", "true");
    const done = await press(button.id);
    from.removeAttribute("aria-busy");
    said = done.error ?? done.said;
    saidAt = last ? last[0].steps.filter((step) => step.is_done).length : 0;
    if (last) draw(...last, said);
  }

  return (tour, who, place) => {
    const done = tour.steps.filter((step) => step.is_done).length;
    if (done > saidAt + 1) said = ""; // it was about a step before
    last = [tour, who, place];
    draw(tour, who, place, said);
  };
}
