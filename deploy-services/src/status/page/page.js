// The list is asked for every few seconds; the chosen rollout comes as events.

const BASE = location.pathname.replace(/\/*$/, "/");
const LIST_EVERY = 3000;
const state = { about: { commands: "none", reasons: [] }, list: [], chosen: null, view: null, events: null };

const WORDS = {
  preparing: ["preparing", ""], shifting: ["shifting", ""], baking: ["baking", ""], decommissioning: ["retiring blue", ""],
  contracting: ["contracting", ""], "rolling-back": ["rolling back", "bad"], completed: ["completed", "good"],
  "rolled-back": ["rolled back", "bad"], abandoned: ["abandoned", "bad"],
};
const COMMANDS = {
  pause: ["Pause", "plain", "Nothing new moves towards green until it is resumed; triggers go on."],
  resume: ["Resume", "plain", "The rollout goes on by itself."],
  promote: ["Promote", "plain", "Skips the rest of the running bake."],
  approve: ["Approve", "", "Lets the step be made that waits for it:"],
  abort: ["Abort", "danger", "Takes the rollout back."],
};
// Why a person takes a release back, in the strategy's words.
const REASONS = {
  "business-anomaly": "Business metrics are not as they should be", "customer-reports": "Customers report issues",
  security: "Security concerns", "data-integrity": "The data's integrity is in doubt", "feature-bug": "One feature misbehaves behind its flag",
};
const WAYS = {
  "traffic-shift": "All traffic goes back to blue.", "immediate-traffic-shift": "All traffic goes back to blue, ahead of everything else.",
  "feature-flag": "The release's flags are switched off and traffic stays; without flags it goes back.",
  "database-rollback": "Traffic goes back, green is stopped and the migrations are undone.",
};

const api = (path) => `${BASE}api${path}`;
const path = (id) => `/rollouts/${encodeURIComponent(id)}`;

async function get(url) {
  const answer = await fetch(url);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.statusText);
  return body;
}

function say(kind, text) {
  const link = byId("link");
  link.className = `link ${kind}`;
  link.textContent = text;
}

function badge(rollout) {
  if (rollout.paused && !["completed", "rolled-back", "abandoned", "rolling-back"].includes(rollout.phase)) {
    return h("span", { class: "badge wait" }, "paused");
  }
  if (rollout.awaits_approval) return h("span", { class: "badge wait" }, "waits for approval");
  const [word, kind] = WORDS[rollout.phase] || [rollout.phase, ""];
  const where = rollout.stage && ["shifting", "baking"].includes(rollout.phase) ? `${rollout.stage}: ${word}` : word;
  return h("span", { class: `badge ${kind}` }, where);
}

function weightsBar(weights, thin) {
  const green = (100 * weights.green) / (weights.blue + weights.green);
  const part = (side, share, weight) => h("div", { class: side, "width%": share }, thin || share < 9 ? "" : `${side} ${weight}`);
  return h("div", { class: thin ? "weights thin" : "weights", title: `blue ${weights.blue}, green ${weights.green}` },
    green < 100 && part("blue", 100 - green, weights.blue), green > 0 && part("green", green, weights.green));
}

function showList() {
  const items = state.list.map((rollout) => h("button", {
    type: "button", id: `list-${rollout.id}`, "aria-current": String(rollout.id === state.chosen), onclick: () => choose(rollout.id),
  },
  h("span", { class: "name" }, h("span", {}, rollout.service), badge(rollout)),
  h("small", { class: "clip" }, `${rollout.blue} → ${rollout.green}`),
  weightsBar(rollout.weights, true),
  h("small", {}, `${rollout.begun.slice(0, 10)} ${clock(rollout.begun)} UTC`)));
  redraw(byId("list"), items.length ? items : [h("p", { class: "empty" }, "The journal holds no rollout yet.")]);
}

function stage(of, awaits) {
  const part = of.bake ? (100 * of.counted) / of.bake : 0;
  const word = of.state === "running" && awaits ? "waits for approval" : of.state === "running" ? `${of.counted} of ${of.bake} min` : of.state === "taken-back" ? "taken back" : of.state === "done" ? "passed" : `${of.bake} min`;
  return h("div", { class: `stage ${of.state}` },
    h("div", { class: "word" }, h("span", {}, `${of.name} · ${Math.round((100 * of.weights.green) / (of.weights.blue + of.weights.green))} %`), h("span", { class: "dim" }, word)),
    h("div", { class: "track" }, h("div", { class: "fill", "width%": of.state === "taken-back" ? 0 : part })));
}

function buttons(view) {
  if (state.about.commands === "none") return h("small", {}, "read only");
  return h("div", { class: "buttons" }, view.can.filter((offer) => offer.command !== "resume" || offer.offered)
    .map((offer) => {
      const [word, kind] = COMMANDS[offer.command];
      return h("button", { type: "button", id: `do-${offer.command}`, class: kind, disabled: !offer.offered, title: offer.why_not, onclick: () => ask(offer) }, word);
    }));
}

function fact(title, text) {
  return h("div", {}, h("h3", {}, title), h("div", {}, text));
}

function decision(of) {
  const kind = { info: "", warning: "wait", error: "bad", critical: "bad" }[of.severity];
  const where = [of.stage, of.rule].filter(Boolean).join(" · ");
  return h("li", {},
    h("time", { datetime: of.at, title: of.at }, clock(of.at, true)),
    h("span", {}, h("span", { class: `badge ${["complete", "promote", "approve", "retired"].includes(of.kind) ? "good" : kind}` }, of.kind.replaceAll("_", " "))),
    h("div", { class: "reason" }, of.reason, where && h("small", {}, where), of.counterfactual && h("small", {}, of.counterfactual)));
}

function show(view) {
  state.view = view;
  // The list comes every few seconds; this is newer.
  state.list = state.list.map((rollout) => (rollout.id === view.id ? view : rollout));
  showList();
  const open = !view.outcome;
  const changes = view.shares.slice(1).map(([at]) => at);
  redraw(byId("rollout"),
    h("div", { class: "card block" },
      h("div", { class: "title" },
        h("div", {}, h("h2", {}, `${view.service} `, badge(view)),
          h("p", { class: "dim" }, `${view.blue} → ${view.green} on ${view.record}, by the policy “${view.policy}”`)),
        buttons(view)),
      view.why && h("p", { class: "notice bad" }, view.why),
      open && view.paused_by && h("p", { class: "notice" }, `Paused by ${view.paused_by.by}: ${view.paused_by.why}`),
      view.awaits_approval && h("p", { class: "notice", id: "awaits-approval" }, `Waits for approval of ${view.awaits_approval.what}.`,
        view.awaits_approval.deadline && !view.paused_by && ` Without one by ${clock(view.awaits_approval.deadline, true)} UTC the rollout is taken back.`),
      weightsBar(view.weights, false),
      h("div", { class: "stages" }, view.stages.map((of) => stage(of, view.awaits_approval))),
      h("div", { class: "facts" },
        fact("Begun", `${view.begun.slice(0, 10)} ${clock(view.begun, true)} UTC`),
        fact("Latest event", `${clock(view.latest, true)} UTC`),
        fact("Next at the latest", open && view.next ? `${clock(view.next, true)} UTC` : "nothing more by itself"),
        fact("Blue", view.health.blue), fact("Green", view.health.green))),
    h("div", { class: "plots" }, sharePlot(view.shares, view.latest), view.times.length > 0 && view.plots.map((plot) => metricPlot(plot, view.times, changes))),
    h("div", { class: "card block" }, h("h3", {}, "Decisions, the latest first"),
      h("ul", { class: "decisions" }, view.decisions.slice().reverse().map(decision)),
      view.decisions_let_go > 0 && h("small", {}, `${view.decisions_let_go} earlier ones are in the journal.`)));
}

function choose(id) {
  if (state.events) state.events.close();
  state.chosen = id;
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  showList();
  const events = new EventSource(api(`${path(id)}/events`));
  state.events = events;
  events.addEventListener("rollout", (event) => { say("live", "live"); show(JSON.parse(event.data)); });
  events.addEventListener("open", () => say("live", "live"));
  events.addEventListener("error", () => say("lost", "connection lost, trying again"));
}

async function refresh() {
  try {
    state.list = (await get(api("/rollouts"))).rollouts;
    showList();
    if (!state.chosen && state.list.length) {
      const wanted = decodeURIComponent(location.hash.slice(1));
      choose(state.list.some((rollout) => rollout.id === wanted) ? wanted : state.list[0].id);
    }
  } catch (error) {
    say("lost", error.message);
  }
  setTimeout(refresh, LIST_EVERY);
}

// One id for each dialog: sent twice, a command is obeyed once.
let asked = null;

function drawId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ask(offer) {
  const [word, kind, text] = COMMANDS[offer.command];
  const gate = offer.command === "approve" ? state.view.awaits_approval : null;
  asked = { id: drawId(), command: offer.command, rollout: state.view.id, gate: gate && gate.gate };
  byId("ask-title").textContent = `${word} ${state.view.service}`;
  byId("ask-text").textContent = [text, gate && `${gate.what}.`, offer.needs_force && `${offer.why_not}.`].filter(Boolean).join(" ");
  byId("ask-why-word").textContent = gate ? "A note, if you like" : "Why";
  byId("ask-why").required = !gate;
  byId("ask-because-row").hidden = offer.command !== "abort";
  byId("ask-force-row").hidden = !(offer.command === "abort" || offer.needs_force);
  byId("ask-force").checked = false;
  byId("ask-because").value = "";
  sayWay();
  byId("ask-token-row").hidden = state.about.commands !== "token";
  byId("ask-by").value = localStorage.getItem("mpac-deploy-by") || "";
  byId("ask-token").value = sessionStorage.getItem("mpac-deploy-token") || "";
  byId("ask-why").value = "";
  byId("ask-answer").textContent = "";
  byId("ask-send").textContent = word;
  byId("ask-send").className = kind === "danger" ? "danger" : "";
  byId("ask-send").disabled = false;
  byId("ask").showModal();
}

// What the decision matrix of the strategy does about the chosen reason.
function sayWay() {
  const chosen = state.about.reasons.find((of) => of.because === byId("ask-because").value);
  byId("ask-way").textContent = chosen ? WAYS[chosen.way_back.method] || chosen.way_back.method : "";
}

async function send() {
  const command = {
    id: asked.id, command: asked.command, by: byId("ask-by").value, why: byId("ask-why").value,
    force: !byId("ask-force-row").hidden && byId("ask-force").checked,
    ...(asked.command === "abort" && { because: byId("ask-because").value }),
    ...(asked.gate && { gate: asked.gate }),
  };
  localStorage.setItem("mpac-deploy-by", command.by);
  sessionStorage.setItem("mpac-deploy-token", byId("ask-token").value);
  byId("ask-answer").textContent = "";
  if (command.because === "") {
    byId("ask-answer").textContent = "Choose what was seen: the way back depends on it.";
    return;
  }
  byId("ask-send").disabled = true;
  const headers = { "content-type": "application/json", "mpac-deploy": "command" };
  if (state.about.commands === "token") headers.authorization = `Bearer ${byId("ask-token").value}`;
  try {
    const answer = await fetch(api(`${path(asked.rollout)}/commands`), { method: "POST", headers, body: JSON.stringify(command) });
    const body = await answer.json();
    if (body.reply === "obeyed") byId("ask").close();
    else if (answer.status === 401) byId("ask-answer").textContent = "That is not the token of this page.";
    else byId("ask-answer").textContent = body.why || body.error || body.reply;
    // What was rejected is asked anew under another id.
    if (body.reply === "rejected") asked.id = drawId();
  } catch (error) {
    byId("ask-answer").textContent = error.message;
  }
  byId("ask-send").disabled = false;
}

async function start() {
  byId("ask-cancel").addEventListener("click", () => byId("ask").close());
  byId("ask-send").addEventListener("click", send);
  byId("ask").querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  try {
    state.about = await get(api(""));
    // None is chosen beforehand: what is recorded was meant.
    byId("ask-because").replaceChildren(h("option", { value: "" }, "Choose what was seen"), ...state.about.reasons.map((of) => h("option", { value: of.because }, REASONS[of.because] || of.because)));
    byId("ask-because").addEventListener("change", sayWay);
    sayWay();
  } catch (error) {
    say("lost", error.message);
  }
  refresh();
}

start();
