// The line to the workspace: frames come in, gestures go out and are answered.

const waiting = new Map();
let socket = null;
let counted = 0;
let delayMs = 250;

/** Keep connected; `onFrame` gets every frame, `onLink` whether there is a line. */
export function connect(onFrame, onLink, hello) {
  const address = new URL("live", document.baseURI);
  address.protocol = "ws:";
  socket = new WebSocket(address);
  socket.onopen = () => {
    delayMs = 250;
    onLink(true);
    hello();
  };
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.done === undefined) {
      onFrame(told);
      return;
    }
    const settle = waiting.get(told.done);
    waiting.delete(told.done);
    settle?.(told);
  };
  socket.onclose = () => {
    onLink(false);
    for (const settle of waiting.values()) settle({ error: "The line to the workspace broke." });
    waiting.clear();
    setTimeout(() => connect(onFrame, onLink, hello), delayMs);
    delayMs = Math.min(delayMs * 2, 5000);
  };
}

/** Say who is at the screen; nothing is answered. */
export function be(person) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: "be", person }));
}

/** Do something as this person; resolves to `{error}`, or to what came of it. */
export function perform(gesture) {
  if (socket?.readyState !== WebSocket.OPEN) {
    return Promise.resolve({ error: "There is no line to the workspace now." });
  }
  const id = ++counted;
  socket.send(JSON.stringify({ id, ...gesture }));
  return new Promise((resolve) => waiting.set(id, resolve));
}
