// Posts the token of a mailed link, which follows the # of the URL, to the API when the customer clicks.
"use strict";

const page = document.querySelector("main");
const form = document.querySelector("form");
const fields = document.querySelector("fieldset");
const message = document.querySelector("#message");
const token = location.hash.slice(1);
const routes = {
  "verify-email": "v1/email-verifications",
  "reset-password": "v1/password-resets",
  "change-email": "v1/email-change-confirmations",
  "revert-email-change": "v1/email-change-reversals",
};

function show(text, good) {
  message.textContent = text;
  message.className = good ? "good" : "bad";
}

function end(text, good) {
  form.hidden = true;
  show(text, good);
}

function filledIn() {
  const { name, new: password } = form.elements;
  if (fields.disabled) {
    return {};
  }
  return name ? { owner: { name: name.value, password: password.value } } : { new_password: password.value };
}

async function post() {
  if (!fields.disabled && form.elements.new.value !== form.elements.again.value) {
    show(page.dataset.differ, false);
    return;
  }
  const body = { token, ...filledIn() };
  const response = await fetch(routes[page.dataset.page], {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
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
    show(page.dataset.failed, false);
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

// 43 characters of URL-safe base64, as chassis/link_tokens.py makes them.
if (!/^[A-Za-z0-9_-]{43}$/.test(token)) {
  end(page.dataset.incomplete, false);
}
