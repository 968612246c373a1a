// The one stream of this browser, shared by all its tabs: with a stream each, the seventh tab would hang, for a
// browser opens six connections to a host. It tells the tabs "live" or "poll", and "ring" when something changed.

const RECONNECTING = 3000; // a stream that ends in order is followed by the next within this time
const REFUSED = 10000; // until a server that had no place for a stream is asked again

const tabs = new Set();
let source = null;
let state = "poll";
let timer = null;

function tell(message) {
  for (const tab of tabs) tab.postMessage(message);
}

function enter(next) {
  clearTimeout(timer);
  timer = null;
  if (state !== next) {
    state = next;
    tell(state);
  }
}

function open(url) {
  source = new EventSource(url);
  source.onopen = () => {
    enter("live");
    tell("ring"); // what happened while nobody listened
  };
  source.onmessage = (message) => message.data === "ring" && tell("ring");
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      close();
      timer = setTimeout(() => tabs.size && open(url), REFUSED);
    } else if (timer === null) {
      timer = setTimeout(() => enter("poll"), RECONNECTING);
    }
  };
}

function close() {
  if (source !== null) source.close();
  source = null;
  enter("poll");
}

self.onconnect = ({ ports: [tab] }) => {
  tab.onmessage = ({ data }) => {
    if (data.bell) {
      tabs.add(tab);
      tab.postMessage(state);
      if (source === null && timer === null) open(data.bell);
    } else if (data === "bye") {
      tabs.delete(tab);
      if (tabs.size === 0) close();
    }
  };
};
