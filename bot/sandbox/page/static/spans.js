// Spans as the server cut them: text, mentions, links, dates, code.
import { h } from "./dom.js";

const TAGS = { bold: "strong", italic: "em", strike: "s" };

export function spans(list) {
  return list.map((span) => {
    let drawn = piece(span);
    for (const style of span.styles ?? []) drawn = h(TAGS[style], {}, drawn);
    return drawn;
  });
}

function piece(span) {
  switch (span.kind) {
    case "text":
      return document.createTextNode(span.text);
    case "link":
      return h("a", { href: span.url, target: "_blank", rel: "noopener noreferrer" }, span.text);
    case "mention":
      return h("span", { class: "mention" }, span.text);
    case "channel":
      return h("span", { class: "mention" }, span.text);
    case "date":
      return h("time", {}, span.text);
    case "code":
      return h("code", {}, span.text);
    case "block":
      return h("pre", {}, span.text);
    default:
      return h("span", { class: "not-shown" }, `This page cannot show “${span.kind}”.`);
  }
}

/** A text object of Block Kit. */
export const text = (object) => (object ? spans(object.spans ?? []) : []);

/** The same as a string, for labels. */
export const words = (object) => (object?.spans ?? []).map((span) => span.text).join("");
