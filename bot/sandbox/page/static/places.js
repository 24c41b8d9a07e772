// Who one can be, and where one can go.
import { byId, fill, h, memo } from "./dom.js";
import { HOME, channelOf, direct, title } from "./state.js";

const initials = (name) => name.split(/\s+/).map((part) => part[0] ?? "").join("").slice(0, 2);

/** A person's initials on a colour of their own, or the app's sign. */
export function avatar(name, handle, isApp = false) {
  if (isApp) return h("img", { class: "avatar", src: "icon.svg", alt: "" });
  const hue = [...handle].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 12, 7);
  return h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, initials(name));
}

function badge(count, of) {
  if (!count) return null;
  return h("span", { class: "badge" }, String(count), h("span", { class: "hidden" }, ` ${of}`));
}

/** `become(handle)` sits down as somebody, `go(place)` goes somewhere; returns what draws. */
export function places({ become, go }) {
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

  const link = (id, label, mark, here, unread = 0, pings = 0) =>
    h(
      "button",
      {
        type: "button",
        class: `place ${unread ? "unread" : ""}`,
        "data-key": id,
        "aria-current": here ? "page" : null,
        onclick: () => go(id),
      },
      h("span", { class: "mark", "aria-hidden": "true" }, mark),
      label,
      badge(pings, "for you"),
      unread && !pings ? h("span", { class: "hidden" }, " unread") : null,
    );

  const drawPlaces = memo((channels, place, hasHome, app, isConnected) => {
    const rooms = channels.filter((channel) => !channel.is_direct);
    const messages = channels.find((channel) => channel.is_direct);
    fill(
      byId("places"),
      h("h2", {}, "Channels"),
      rooms.map((room) =>
        link(
          room.id,
          room.name,
          room.is_private ? "🔒" : "#",
          room.id === place,
          room.unread,
          room.pings,
        ),
      ),
      h("h2", {}, `${app} (app)`),
      hasHome ? link(HOME, "Home", "⌂", place === HOME) : null,
      messages
        ? link(
            messages.id,
            "Messages",
            "✉",
            messages.id === place,
            messages.unread,
            messages.pings,
          )
        : h("p", { class: "quiet" }, "No direct messages yet"),
      isConnected ? null : h("p", { class: "quiet", role: "status" }, `${app} is not connected now`),
    );
  });

  const drawHead = memo((around, place) => {
    const channel = channelOf(place);
    byId("place-title").textContent = title(place);
    const hasTabs = around.has_home && (place === HOME || channel?.is_direct);
    byId("tabs").hidden = !hasTabs;
    if (hasTabs) {
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
    byId("place-about").textContent = channel?.is_archived
      ? "This channel is archived."
      : channel && !channel.is_direct
        ? `${channel.members} members`
        : "";
    byId("log").hidden = byId("composer").hidden = place === HOME;
    byId("home").hidden = place !== HOME;
    byId("typed").placeholder = place === HOME ? "" : `Message ${title(place)}`;
  });

  return (around, place) => {
    document.title = `${title(place)} – ${around.workspace}`;
    byId("workspace").textContent = around.workspace;
    drawPeople(around.people, around.me);
    drawPlaces(around.channels, place, around.has_home, around.app.name, around.is_connected);
    drawHead(around, place);
  };
}
