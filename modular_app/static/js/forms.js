// Sends the page's forms without leaving the page. Each counts once: while one is on its way it is not sent again,
// and a double click, or a key that is held down, presses a button once.

const busy = new WeakSet();
const trouble = document.getElementById("trouble");

function say(text) {
  trouble.textContent = text;
  trouble.hidden = text === "";
}

function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The next press of the same button is a new wish; who it is for stays.
function renew(form) {
  form.elements.namedItem("form_id").value = freshId();
  for (const input of form.querySelectorAll("input[type=number]")) input.value = input.defaultValue;
}

function step(button) {
  const input = button.parentElement.querySelector("input");
  const wanted = Number(input.value || 0) + Number(button.dataset.step);
  input.value = Math.min(Number(input.max), Math.max(Number(input.min), wanted));
}

document.addEventListener(
  "submit",
  (event) => {
    if (busy.has(event.target)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true,
);

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.step) step(button);
    else if (button && event.detail > 1) event.preventDefault();
  },
  true,
);

document.addEventListener(
  "keydown",
  (event) => {
    if (event.repeat && event.target.matches("button") && ["Enter", " "].includes(event.key)) event.preventDefault();
  },
  true,
);

document.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (!target.matches("form")) return;
  busy.add(target);
  target.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (!target.matches("form")) return;
  busy.delete(target);
  target.removeAttribute("aria-busy");
  if (detail.successful) say("");
  else say(detail.xhr.responseText || "The server does not answer: this was not sent. Press again when it is back.");
  if (detail.successful && target.elements.namedItem("form_id")) renew(target);
  document.dispatchEvent(new CustomEvent("counter:changed"));
});
