// What the workspace sent, and where one is in it.

export const HOME = "home";

export const state = {
  around: null,
  messages: new Map(),
  place: null, // a channel's id, or "home"
  thread: null, // {channel, ts}
  drafts: new Map(),
};

export const keyOf = (message) => `${message.channel} ${message.ts}`;
export const me = () => state.around.people.find((person) => person.id === state.around.me);
export const people = () => state.around.people;
export const channelOf = (id) => state.around.channels.find((channel) => channel.id === id);
export const direct = () => state.around.channels.find((channel) => channel.is_direct);

/** Messages of a channel, oldest first. */
export function inPlace(id) {
  return [...state.messages.values()]
    .filter((message) => message.channel === id)
    .sort((one, other) => (one.ts < other.ts ? -1 : 1));
}

export const replies = (channel, ts) => inPlace(channel).filter((message) => message.thread === ts);

/** What a place is called. */
export function title(place) {
  if (place === HOME || channelOf(place)?.is_direct) return state.around.app.name;
  return `#${channelOf(place)?.name ?? ""}`;
}
