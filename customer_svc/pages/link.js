// Posts the token of a mailed link, which follows the # of the URL, to the API when the customer clicks.
"use strict";

const page = document.querySelector("main");
const form = document.querySelector("form");
const message = document.querySelector("#message");
const token = location.hash.slice(1);
const routes = { "verify-email": "v1/email-verifications", "reset-password": "v1/password-resets" };

function show(text, good) {
  message.textContent = text;
  message.className = good ? "good" : "bad";
}

function end(text, good) {
  form.hidden = true;
  show(text, good);
}

async function post() {
  const body = { token };
  if (page.dataset.page === "reset-password") {
    body.new_password = form.elements.new.value;
    if (body.new_password !== form.elements.again.value) {
      show(page.dataset.differ, false);
      return;
    }
  }
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
