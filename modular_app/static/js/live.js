// Keeps the page up to date: the bell says when, and everything that changes is fetched and morphed in place, so that
// the focus, and what is being typed, stay. Without the bell the page asks by itself.

const POLL = 2000; // milliseconds between two questions while there is no bell
const LOOK = 5000; // the same with the bell: ages grow, and other processes ring no bell here
const PAUSE = 250; // at least, between two fetches

const live = document.getElementById("live");
const connection = document.getElementById("connection");
const words = document.getElementById("connection-words");
let isLive = false;
let isReached = true;
let lastFetch = 0;
let waiting = null;

document.documentElement.classList.add("script");
// Inputs of these forms belong to whoever fills them in: news never changes what stands there.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  !(name === "value" && node.matches("form[data-keep] input"));

function refresh() {
  if (document.hidden || waiting !== null) return;
  const wait = Math.max(0, lastFetch + PAUSE - Date.now());
  waiting = setTimeout(() => {
    waiting = null;
    lastFetch = Date.now();
    htmx.trigger(live, "refresh");
  }, wait);
}

function show() {
  const state = !isReached ? "lost" : isLive ? "live" : "poll";
  const said = {
    live: "Live",
    poll: "Asks every 2 seconds",
    lost: "The server does not answer. Trying again …",
  };
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  words.textContent = said[state];
}

function hear({ data }) {
  if (data === "ring") return refresh();
  isLive = data === "live";
  show();
}

function connect() {
  if (!window.SharedWorker) return;
  const worker = new SharedWorker(connection.dataset.worker);
  worker.port.onmessage = hear;
  worker.port.postMessage({ bell: connection.dataset.bell });
  window.addEventListener("pagehide", () => worker.port.postMessage("bye"), { once: true });
}

function reached(is) {
  isReached = is;
  show();
}

live.addEventListener("htmx:afterRequest", (event) => {
  if (event.target !== live) return;
  reached(event.detail.xhr.status !== 0);
});
document.addEventListener("visibilitychange", refresh);
document.addEventListener("counter:changed", refresh);
window.addEventListener("pageshow", (event) => {
  connect();
  if (event.persisted) refresh();
});
(function ask() {
  setTimeout(() => {
    refresh();
    ask();
  }, isLive && isReached ? LOOK : POLL);
})();
show();
