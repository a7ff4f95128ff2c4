// Shows the order whose id follows the # of the URL to its customer, who logs in for that; the tokens are kept nowhere.
"use strict";

const page = document.querySelector("main");
const form = document.querySelector("form");
const code = document.querySelector("fieldset");
const message = document.querySelector("#message");
const language = document.documentElement.lang;
const id = location.hash.slice(1);

function show(text) {
  message.textContent = text;
  message.className = text ? "bad" : "";
}

function money({ amount, currency }, digits) {
  return new Intl.NumberFormat(language, { style: "currency", currency, minimumFractionDigits: digits,
    maximumFractionDigits: digits }).format(amount / 10 ** digits);
}

// The decimal digits of the minor unit (ISO 4217), where they are not two.
function digits(currency) {
  const others = { 0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW" };
  const found = Object.entries(others).find(([, codes]) => codes.split(" ").includes(currency));
  return found ? Number(found[0]) : 2;
}

function fill(list, texts) {
  const items = texts.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  document.querySelector(list).replaceChildren(...items);
}

function showOrder(order) {
  const state = document.querySelector("#state");
  document.querySelector("#number").textContent = order.id.slice(-12);
  document.querySelector("#placed").textContent = new Date(order.placed_at).toLocaleString(language);
  state.textContent = state.dataset[order.state.toLowerCase()] ?? order.state;
  document.querySelector("#total").textContent = money(order.total, digits(order.total.currency));
  fill("#lines", order.lines.map((line) => `${line.quantity} × ${line.name} (${line.sku})`));
  fill("#parcels", order.shipments.map((parcel) => `${parcel.carrier} ${parcel.tracking_number}`));
  document.querySelector("dl").hidden = false;
  form.hidden = true;
}

// The text for each refusal of a log-in.
const refusals = {
  totp_required: "code",
  wrong_code: "wrongCode",
  wrong_credentials: "wrong",
  account_deactivated: "deactivated",
  too_many_attempts: "often",
};

async function logIn() {
  const { email, password, code: digits } = form.elements;
  const body = { email: email.value, password: password.value, ...(code.disabled ? {} : { code: digits.value }) };
  const response = await fetch("v1/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) {
    return answer;
  }
  if (answer.code === "totp_required") {
    code.hidden = code.disabled = false;
  }
  show(page.dataset[refusals[answer.code]] ?? page.dataset.failed);
  return null;
}

async function logOut(session) {
  try {
    await fetch("v1/sessions/logout", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: session.refresh_token }),
    });
  } catch {
    // The session ends by itself, and the order is shown all the same.
  }
}

async function read() {
  const session = await logIn();
  if (!session) {
    return;
  }
  try {
    const headers = { Authorization: `Bearer ${session.access_token}` };
    const response = await fetch(`${page.dataset.orders}/v1/orders/${id}`, { headers });
    if (response.ok) {
      show("");
      showOrder(await response.json());
    } else {
      show(response.status === 404 ? page.dataset.missing : page.dataset.failed);
    }
  } finally {
    await logOut(session);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await read();
  } catch {
    show(page.dataset.failed);
  } finally {
    button.disabled = false;
  }
});

if (!/^[0-9a-f-]{36}$/.test(id)) {
  form.hidden = true;
  show(page.dataset.incomplete);
}
