// Takes the token of a link in a mail from behind the # to the API, when the customer says so.
"use strict";

const page = document.querySelector("main");
const form = document.querySelector("form");
const said = document.querySelector("#said");
const token = location.hash.slice(1);
const routes = { "verify-email": "v1/email-verifications", "reset-password": "v1/password-resets" };

function say(text, good) {
  said.textContent = text;
  said.className = good ? "good" : "bad";
}

function end(text, good) {
  form.hidden = true;
  say(text, good);
}

async function post() {
  const body = { token };
  if (page.dataset.page === "reset-password") {
    body.new_password = form.elements.new.value;
    if (body.new_password !== form.elements.again.value) {
      say(page.dataset.differ, false);
      return;
    }
  }
  const answer = await fetch(routes[page.dataset.page], {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) {
    // Whoever sits here next finds no token in the history.
    history.replaceState(null, "", location.pathname);
    end(page.dataset.done, true);
    return;
  }
  const problem = await answer.json();
  if (problem.code === "link_spent") {
    end(page.dataset.spent, false);
  } else {
    say(page.dataset.failed, false);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await post();
  } catch {
    say(page.dataset.failed, false);
  } finally {
    button.disabled = false;
  }
});

// 43 characters of URL-safe base64, as chassis/links.py makes them.
if (!/^[A-Za-z0-9_-]{43}$/.test(token)) {
  end(page.dataset.incomplete, false);
}
