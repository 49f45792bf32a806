// Asks the server. The token is a header, so no other site can send it; a change of the store is told.

const TOKEN = "idsync-token";

export class Failure extends Error {
  constructor(status, code, message, shown = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.shown = shown;
  }
}

let kept = "";
let store = null;
let onReplaced = () => {};

export function whenReplaced(tell) {
  onReplaced = tell;
}

export function forgetStore() {
  store = null;
}

// Takes the token out of the address, so that no picture or bookmark of the page has it.
export function takeToken() {
  const found = /^#token=([\w-]+)$/.exec(location.hash);
  if (found === null) return;
  keepToken(found[1]);
  history.replaceState(null, "", "#/ask");
}

export function keepToken(token) {
  kept = token;
  try {
    localStorage.setItem(TOKEN, token); // for other tabs of this page, and when it is loaded again
  } catch {
    // A browser that keeps nothing has it in this tab.
  }
}

function token() {
  try {
    return localStorage.getItem(TOKEN) ?? kept;
  } catch {
    return kept;
  }
}

export async function read(path, signal = undefined) {
  const before = store;
  return answered(await request(path, { signal }), before);
}

export async function send(path, body, signal = undefined) {
  const headers = { "content-type": "application/json" };
  const before = store;
  return answered(await request(path, { method: "POST", headers, body: JSON.stringify(body), signal }), before);
}

// What comes as server-sent events: `take` is called with the id, the name and the data of each.
export async function listen(path, after, take, signal) {
  const headers = after === null ? {} : { "last-event-id": after };
  const response = await request(path, { headers, signal });
  if (!response.ok) await answered(response);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const members = Object.fromEntries(event.split("\n").map((line) => {
        const index = line.indexOf(":");
        return [line.slice(0, index), line.slice(index + 1).trim()];
      }));
      if (members.data) take(members.id, members.event, JSON.parse(members.data));
    }
  }
}

async function request(path, options) {
  const headers = { ...options.headers, "x-idsync-token": token() };
  try {
    return await fetch(`/explorer/api/${path}`, {
      ...options, headers, cache: "no-store", credentials: "omit", redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "NO_ANSWER", "idsync does not answer; it may have ended");
  }
}

async function answered(response, before = null) {
  let body = {};
  try {
    body = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  if (!response.ok) {
    const { code = "ERROR", message = `HTTP status ${response.status}`, shown = [] } = body.error ?? {};
    throw new Failure(response.status, code, message, shown);
  }
  if (body.store) look(body.store, before);
  return body;
}

// `before` is the store as it was known when this was asked for: of two answers the later may come first.
function look(found, before) {
  const isAnother = before !== null && (before.id !== found.id || before.last_seq > found.last_seq);
  if (isAnother || store === null || found.last_seq > store.last_seq) store = found;
  if (isAnother) onReplaced();
}
