// Posts what a page is about to the API when the customer clicks: the token of a mailed link, or what is typed.
"use strict";

const page = document.querySelector("main");
const form = document.querySelector("form");
const fields = document.querySelector("fieldset");
const message = document.querySelector("#message");
const kind = page.dataset.page;
const routes = {
  "verify-email": "v1/email-verifications",
  "reset-password": "v1/password-resets",
  "forgot-password": "v1/password-reset-mails",
  "change-email": "v1/email-change-confirmations",
  "revert-email-change": "v1/email-change-reversals",
  "unsubscribe": "v1/unsubscriptions",
};
// Tokens that open an account follow the #, which browsers do not send; one that unsubscribes is for servers, too.
const token = kind === "unsubscribe" ? new URLSearchParams(location.search).get("token") ?? "" : location.hash.slice(1);

function show(text, good) {
  message.textContent = text;
  message.className = good ? "good" : "bad";
}

function end(text, good) {
  form.hidden = true;
  show(text, good);
}

function body() {
  const { name: typedName, new: password, email } = form.elements;
  if (email) {
    return { email: email.value };
  }
  if (fields.disabled) {
    return { token };
  }
  return typedName
    ? { token, owner: { name: typedName.value, password: password.value } }
    : { token, new_password: password.value };
}

async function post() {
  const { new: password, again } = form.elements;
  if (!fields.disabled && again && password.value !== again.value) {
    show(page.dataset.differ, false);
    return;
  }
  const response = await fetch(routes[kind], {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body()),
  });
  if (response.ok) {
    // The next user of this browser must not find the token in the history.
    history.replaceState(null, "", location.pathname);
    end(page.dataset.done, true);
    return;
  }
  const problem = await response.json();
  if (problem.code === "link_invalid") {
    end(page.dataset.invalid, false);
  } else if (problem.code === "registration_contested") {
    // Nobody knows which of several registrations was the owner's: the one who has the link says who they are.
    fields.hidden = fields.disabled = false;
    show(page.dataset.contested, false);
  } else {
    show(response.status === 429 ? page.dataset.often : page.dataset.failed, false);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await post();
  } catch {
    show(page.dataset.failed, false);
  } finally {
    button.disabled = false;
  }
});

// URL-safe base64, as chassis/link_tokens.py makes them.
const expected = kind === "unsubscribe" ? /^[A-Za-z0-9_-]{65}$/ : /^[A-Za-z0-9_-]{43}$/;
if (kind !== "forgot-password" && !expected.test(token)) {
  end(page.dataset.incomplete, false);
}
